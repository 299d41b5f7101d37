#!/bin/sh
# ClickHouse runs this: `bigtrace query …`, `bigtrace schema`. Node runs behind a shell because a process
# that is killed outright cannot say so, and ClickHouse takes an end without a word for the end of the rows.
# ClickHouse's connections to its clients come with it into what it executes. One that is held here does not
# end when ClickHouse closes it, so they are closed; a plain sh cannot.
if [ -n "${BASH_VERSION:-}" ]; then
  for fd in /proc/$$/fd/*; do
    [ -S "$fd" ] && fd=${fd##*/} && [ "$fd" -gt 3 ] && eval "exec $fd>&-"
  done
elif command -v bash >/dev/null; then
  exec bash "$0" "$@"
fi
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
# Rows in ClickHouse's Native format are always within a block until they end as they should (native/rows.ts).
case "$*" in 'query --format Native'*) native=1 ;; *) native= ;; esac
[ -n "$native" ] && printf '\001'
# The rows must end as they should for ClickHouse to look at stderr (tsv/end-mark.ts).
end_rows() {
  case "$*" in
    'query --format Native'*) printf '\001\003_hb\005UInt8\001' ;;
    'query --format CustomSeparated'* | failures | progress) echo END ;;
  esac
}
# The process whose connections are its clients'.
export BIGTRACE_CLICKHOUSE_PID=$PPID
# Node takes a processor for a tenth of a second to start. Hundreds that start at once would each take so long that
# ClickHouse gives them up, so three start at a time: each holds the kernel's lock on one of these files until it
# has reached the orchestrator. Who waits beats meanwhile, or would not be seen to be cancelled.
if [ "$1" = query ] && command -v flock >/dev/null; then
  gate=$(($$ % 3)) tries=0
  while
    case $gate in 0) file=bigtrace ;; 1) file=bridge.cjs ;; *) file=bridge-main.cjs ;; esac
    [ -r "$here/$file" ] && exec 7<"$here/$file" && ! flock -w 1 7
  do
    [ -n "$native" ] && printf '\001\003_hb\005UInt8\001\001'
    gate=$(((gate + 1) % 3)) tries=$((tries + 1))
    if [ "$tries" -ge 60 ] || { [ -z "$native" ] && [ "$tries" -ge 8 ]; }; then
      printf 'too many queries start at once on this ClickHouse; try again (too_many_queries)' >&2
      end_rows "$@"
      exit 1
    fi
  done
  export BIGTRACE_GATE_FD=7
fi
# Warnings would be taken for errors, so nothing inherited may cause one.
export NODE_NO_WARNINGS=1 NODE_OPTIONS=
# Node 20 reads these at every start, which takes longer than all else; the bridge trusts its --tls-ca alone.
unset NODE_EXTRA_CA_CERTS
# A command in the background would get /dev/null as its stdin; and this shell's own words on a child that was
# killed are not for the client.
exec 9<&0 8>&2 2>/dev/null
terminated=
trap 'terminated=1; kill -TERM "$child" 2>/dev/null' TERM INT HUP
"${BIGTRACE_NODE:-node}" "$here/bridge.cjs" "$@" <&9 9<&- 2>&8 8>&- &
child=$!
exec 9<&- 7<&- </dev/null
wait "$child"
status=$?
while [ -n "$terminated" ] && kill -0 "$child" 2>/dev/null; do wait "$child"; done
if [ "$status" -gt 125 ] && [ -z "$terminated" ]; then
  # At 126 and 127 node could not be run, and the shell has said so.
  [ "$status" -gt 128 ] &&
    printf 'the bridge was killed by signal %s: out of memory? (internal)' "$((status - 128))" >&8
  end_rows "$@"
fi
exit "$status"
