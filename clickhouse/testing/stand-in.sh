#!/bin/sh
# Stands in for the bridge in tests. The query's sql is `STRUCTURE;;COMMANDS`: the columns it answers with
# ("!TEXT" for an error, "~FILE" to wait for a file, "-COLUMNS" to die behind the answer), and what the script then does, with $$ as its process.
case $1 in
  failures) printf 'q1\tanalyst\t/local/bad\ttrace_invalid\tnot a trace\t2\t1795345249722\nEND\n'; exit ;;
  progress) printf 'q1\tanalyst\t1795345249722\t2000\t10\t1\t3\t1\t500\t600\t700\nEND\n'; exit ;;
esac
field() { printf '%b' "$(printf '%s' "$line" | cut -f"$1")"; }
while IFS= read -r line; do
  sql=$(field 2)
  structure=${sql%%;;*}
  case "$1 $structure" in
    schema\ !*)
      printf '%s (sql_failed)\n' "${structure#!}" >&2
      exit 1
      ;;
    schema\ ~*)
      until [ -e "${structure#?}" ]; do sleep 0.05; done
      printf '_hb UInt8, _trace_address String\n'
      ;;
    schema\ -*)
      printf '_hb UInt8, _trace_address String, %s\n' "${structure#?}"
      kill -9 $$
      ;;
    schema*) printf '_hb UInt8, _trace_address String, %s\n' "$structure" ;;
    *)
      eval "${sql#*;;}"
      exit
      ;;
  esac
done
