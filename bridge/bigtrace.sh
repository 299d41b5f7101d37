#!/bin/sh
# ClickHouse executes this script: `bigtrace query …`, `bigtrace schema`. The shell runs Node as a child, because a
# process that is killed cannot report it, and ClickHouse treats a pipe that closes without an error as the end of the
# rows. The script inherits the sockets of ClickHouse's clients. A socket that stays open here stays connected when
# ClickHouse closes it, so the script closes them. That needs bash: a plain sh closes descriptors up to 9 only.
if [ -n "${BASH_VERSION:-}" ]; then
  for fd in /proc/$$/fd/*; do
    [ -S "$fd" ] && fd=${fd##*/} && [ "$fd" -gt 3 ] && eval "exec $fd>&-"
  done
elif command -v bash >/dev/null; then
  exec bash "$0" "$@"
fi
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
# Native output always ends within a block until the rows are complete (native/rows.ts): this byte starts a block.
case "$*" in 'query --format Native'*) native=1 ;; *) native= ;; esac
[ -n "$native" ] && printf '\001'
# Completes the output: ClickHouse reads stderr only after rows that end correctly (tsv/end-mark.ts).
end_rows() {
  case "$*" in
    'query --format Native'*) printf '\001\003_hb\005UInt8\001' ;;
    'query --format CustomSeparated'* | failures | progress) echo END ;;
  esac
}
# The ClickHouse process: `bigtrace schema` looks up the connections of its clients.
export BIGTRACE_CLICKHOUSE_PID=$PPID
# To start, Node needs one processor for 0.1 s. If hundreds started at once, each would take so long that ClickHouse
# would give up waiting for it. So three start at a time: each holds a kernel lock on one of these files until it has
# reached the orchestrator. While it waits, a Native bridge sends a heartbeat each second, so that ClickHouse notices a
# cancelled query.
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
# ClickHouse treats output on stderr as an error, so inherited variables must not make Node print warnings.
export NODE_NO_WARNINGS=1 NODE_OPTIONS=
# Node 20 reads these certificates at every start, which takes longer than the rest of the start. The bridge trusts
# BIGTRACE_TLS_CA alone.
unset NODE_EXTRA_CA_CERTS
# V8 takes 4 ms to choose a seed for its hash tables, which protects a service from names that collide. A process that
# answers one query does without.
case $1 in schema) seed= ;; *) seed=--no-rehash-snapshot ;; esac
# The shell gives a background command /dev/null as stdin, so descriptor 9 keeps the real one. The shell's own message
# about a killed child must not reach the client, so only Node gets the real stderr (8).
exec 9<&0 8>&2 2>/dev/null
terminated=
trap 'terminated=1; kill -TERM "$child" 2>/dev/null' TERM INT HUP
"${BIGTRACE_NODE:-node}" $seed "$here/bridge.cjs" "$@" <&9 9<&- 2>&8 8>&- &
child=$!
exec 9<&- 7<&- </dev/null
wait "$child"
status=$?
while [ -n "$terminated" ] && kill -0 "$child" 2>/dev/null; do wait "$child"; done
if [ "$status" -gt 125 ] && [ -z "$terminated" ]; then
  # Status 126 or 127: Node could not be executed, and the shell has already printed why.
  [ "$status" -gt 128 ] &&
    printf 'the bridge was killed by signal %s: out of memory? (internal)' "$((status - 128))" >&8
  end_rows "$@"
fi
exit "$status"
