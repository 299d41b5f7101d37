#!/bin/bash
# Stands in for the bridge in tests. The query's sql is `@STRUCTURE;;COMMANDS`: the columns it answers with
# ("!TEXT" for an error, "~FILE" to wait for a file, "-COLUMNS" to die behind the answer), and what the script then does, with $$ as its process.
LC_ALL=C
case $1 in
  failures) printf 'q1\tanalyst\t/local/bad\ttrace_invalid\tnot a trace\t2\t1795345249722\nEND\n'; exit ;;
  progress) printf 'q1\tanalyst\t1795345249722\t2000\t10\t1\t3\t1\t500\t600\t700\t2500\t1\t0\t0\t2\t[(\047/local/it\\\047s\047,\047parsing\047,1.5,2,\047w:1\047)]\nEND\n'; exit ;;
esac

if [ "$1 $2 $3" = 'query --format CustomSeparated' ]; then
  # As bridge/tsv/rows.ts has them: every row has all columns, in their order; a line of its own is their end.
  end() { echo END; }
  beat() { printf '1\t%b\n' "$nulls"; }
  # ADDRESS NAME=TEXT…, where NAME alone is NULL.
  row() {
    printf '0\t%s' "$1"
    shift
    for cell; do
      case $cell in *=*) printf '\t%s' "${cell#*=}" ;; *) printf '\t\\N' ;; esac
    done
    echo
  }
  IFS= read -r request
  field() { printf '%b' "$(printf '%s' "$request" | cut -f"$1")"; }
  sql=$(field 2)
  failure=$(field 5)
  nulls=$(field 6 | tr -cd , | sed 's/^,//; s/,/\\t\\\\N/g')
  eval "${sql#*;;}"
  exit
fi

# Rows in the format Native, as bridge/native/rows.ts has them: there is always the first byte of a heartbeat.
text() { printf "\\$(printf %03o ${#1})%s" "$1"; }
end() { printf '\001\003_hb\005UInt8\001'; }
beat() { end; printf '\001'; }
# ADDRESS NAME=TEXT…, where NAME alone is NULL; ClickHouse makes of a text what the column is.
row() {
  end
  printf "\\$(printf %03o $#)\001"
  text _trace_address
  text String
  text "$1"
  shift
  for cell; do
    text "${cell%%=*}"
    text 'Nullable(String)'
    case $cell in
      *=*) printf '\000' && text "${cell#*=}" ;;
      *) printf '\001\000' ;;
    esac
  done
  printf '\001'
}

if [ "$1" = query ]; then
  printf '\001'
  # Each column of the request's only row: its name, its type, the length of its value in a byte or two, its value.
  request=$(tr -d '\000')
  sql=${request#*sql?String}
  sql=${sql%%?query_id?String*}
  case $sql in ?@*) sql=${sql#??} ;; ??@*) sql=${sql#???} ;; esac
  failure=${request#*on_failure?String?}
  failure=${failure%%?structure?String*}
  eval "${sql#*;;}"
  exit
fi

# RowBinary: an array of texts, then five texts; none of them is empty.
length() {
  local byte shift=0
  n=0
  while IFS= read -r -N 1 byte; do
    printf -v byte %d "'$byte"
    n=$((n | (byte & 127) << shift)) shift=$((shift + 7))
    [ $((byte & 128)) = 0 ] && return
  done
  return 1
}
take() { length && IFS= read -r -N "$n" "$1"; }
answer() {
  local rest=${#1}
  for (( ; rest > 127; rest >>= 7)); do printf "\\$(printf %03o $((rest & 127 | 128)))"; done
  printf "\\$(printf %03o "$rest")%s" "$1"
}
while length; do
  for ((left = n; left > 0; left--)); do take trace; done
  take sql && take query_id && take user && take on_failure && take purpose || exit
  structure=${sql%%;;*}
  structure=${structure#@}
  case $structure in
    !*)
      printf '%s (sql_failed)\n' "${structure#!}" >&2
      exit 1
      ;;
    ~*)
      until [ -e "${structure#?}" ]; do sleep 0.05; done
      answer '`_hb` UInt8 NOT NULL, `_trace_address` String NOT NULL'
      ;;
    -*)
      answer "\`_hb\` UInt8 NOT NULL, \`_trace_address\` String NOT NULL, ${structure#?}"
      kill -9 $$
      ;;
    *) answer "\`_hb\` UInt8 NOT NULL, \`_trace_address\` String NOT NULL, $structure" ;;
  esac
done
