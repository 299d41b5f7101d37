#!/bin/sh
# Stands in for the bridge in tests. The query's sql is `STRUCTURE;;COMMANDS`: the columns it answers with
# ("!TEXT" for an error), and what the script then does, with $$ as its process.
field() { printf '%b' "$(printf '%s' "$line" | cut -f"$1")"; }
while IFS= read -r line; do
  sql=$(field 2)
  structure=${sql%%;;*}
  case "$1 $structure" in
    schema\ !*)
      printf '%s (sql_failed)\n' "${structure#!}" >&2
      exit 1
      ;;
    schema*) printf '_hb UInt8, _trace_address String, %s\n' "$structure" ;;
    *)
      eval "${sql#*;;}"
      exit
      ;;
  esac
done
