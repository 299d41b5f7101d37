;; The loops over each cell of a piece: SIMD and 64-bit words make them a third of what JavaScript takes.
;; cells.ts says what lies where in the memory, and sees that nothing reaches beyond it.
(module
  (memory (export "memory") 16 16)

  ;; Reads $rows times $columns varints, which begin at $at and end before $to, and puts each as a 64-bit word into
  ;; its column: $rows words each, one column behind the other from $out on. Up to 10 bytes behind $to are looked at.
  ;; Gives the position behind the last one, which is beyond $to where that is cut short; or -1: one is missing,
  ;; -2: one before the last is cut short, -3: one has more than 10 bytes.
  (func (export "integers")
    (param $at i32) (param $to i32) (param $out i32) (param $columns i32) (param $rows i32) (result i32)
    (local $row i32) (local $column i32) (local $into i32)
    (local $word i64) (local $ends i64) (local $value i64) (local $more i64)
    (loop $next_row
      (local.set $into (i32.add (local.get $out) (i32.shl (local.get $row) (i32.const 3))))
      (local.set $column (i32.const 0))
      (loop $next_column
        (if (i32.ge_u (local.get $at) (local.get $to))
          (then (return (i32.sub (i32.const -1) (i32.gt_u (local.get $at) (local.get $to))))))
        (local.set $word (i64.load (local.get $at)))
        (if (i64.eqz (i64.and (local.get $word) (i64.const 0x80)))
          (then
            (local.set $value (i64.and (local.get $word) (i64.const 0x7f)))
            (local.set $at (i32.add (local.get $at) (i32.const 1))))
          (else
            ;; The highest bit is zero in a varint's last byte: all bits up to there are its own.
            (local.set $ends
              (i64.and (i64.xor (local.get $word) (i64.const -1)) (i64.const 0x8080808080808080)))
            (local.set $value
              (i64.and
                (i64.and (local.get $word) (i64.const 0x7f7f7f7f7f7f7f7f))
                (i64.xor (local.get $ends) (i64.sub (local.get $ends) (i64.const 1)))))
            ;; Groups of 7 bits become groups of 14, of 28, and one of 56.
            (local.set $value
              (i64.or
                (i64.and (local.get $value) (i64.const 0x007f007f007f007f))
                (i64.shr_u (i64.and (local.get $value) (i64.const 0x7f007f007f007f00)) (i64.const 1))))
            (local.set $value
              (i64.or
                (i64.and (local.get $value) (i64.const 0x00003fff00003fff))
                (i64.shr_u (i64.and (local.get $value) (i64.const 0x3fff00003fff0000)) (i64.const 2))))
            (local.set $value
              (i64.or
                (i64.and (local.get $value) (i64.const 0x000000000fffffff))
                (i64.shr_u (i64.and (local.get $value) (i64.const 0x0fffffff00000000)) (i64.const 4))))
            (if (i64.ne (local.get $ends) (i64.const 0))
              (then
                (local.set $at
                  (i32.add
                    (i32.add (local.get $at) (i32.const 1))
                    (i32.wrap_i64 (i64.shr_u (i64.ctz (local.get $ends)) (i64.const 3))))))
              (else
                (local.set $more (i64.load16_u offset=8 (local.get $at)))
                (local.set $value
                  (i64.or
                    (local.get $value)
                    (i64.shl (i64.and (local.get $more) (i64.const 0x7f)) (i64.const 56))))
                (local.set $at (i32.add (local.get $at) (i32.const 9)))
                (if (i64.ne (i64.and (local.get $more) (i64.const 0x80)) (i64.const 0))
                  (then
                    (if (i64.ne (i64.and (local.get $more) (i64.const 0x8000)) (i64.const 0))
                      (then (return (i32.const -3))))
                    ;; Of the tenth byte one bit belongs to a 64-bit word.
                    (local.set $value
                      (i64.or
                        (local.get $value)
                        (i64.shl (i64.and (local.get $more) (i64.const 0x100)) (i64.const 55))))
                    (local.set $at (i32.add (local.get $at) (i32.const 1)))))))))
        (i64.store (local.get $into) (local.get $value))
        (local.set $into (i32.add (local.get $into) (i32.shl (local.get $rows) (i32.const 3))))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br_if $next_column (i32.lt_u (local.get $column) (local.get $columns))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $next_row (i32.lt_u (local.get $row) (local.get $rows))))
    (local.get $at))

  ;; Takes up to $count texts, which begin at $at and have a NUL behind each, and puts each with its length before it
  ;; where the next column's slot says; the first one's is $column, and behind the last comes the first again. A slot
  ;; has 32 bits. Ends before a text that has no NUL before $to. Up to 16 bytes behind $to are looked at, and as many
  ;; behind what is put are written over. Gives how many were taken, and the position behind them.
  (func (export "texts")
    (param $at i32) (param $to i32) (param $slots i32) (param $columns i32) (param $column i32) (param $count i32)
    (result i32 i32)
    (local $done i32) (local $slot i32) (local $out i32) (local $end i32) (local $length i32) (local $zeros i32)
    (local $bytes v128)
    (block $stop
      (loop $next
        (br_if $stop (i32.eq (local.get $done) (local.get $count)))
        (local.set $slot (i32.add (local.get $slots) (i32.shl (local.get $column) (i32.const 2))))
        (local.set $out (i32.load (local.get $slot)))
        (local.set $end (local.get $at))
        ;; It is copied while its end is looked for, to where it has to be if its length is below 128.
        (block $found
          (loop $look
            (br_if $stop (i32.ge_u (local.get $end) (local.get $to)))
            (local.set $bytes (v128.load (local.get $end)))
            (v128.store offset=1
              (i32.add (local.get $out) (i32.sub (local.get $end) (local.get $at)))
              (local.get $bytes))
            (local.set $zeros
              (i8x16.bitmask (i8x16.eq (local.get $bytes) (v128.const i64x2 0 0))))
            (br_if $found (local.get $zeros))
            (local.set $end (i32.add (local.get $end) (i32.const 16)))
            (br $look)))
        (local.set $end (i32.add (local.get $end) (i32.ctz (local.get $zeros))))
        (br_if $stop (i32.ge_u (local.get $end) (local.get $to)))
        (local.set $length (i32.sub (local.get $end) (local.get $at)))
        (if (i32.lt_u (local.get $length) (i32.const 0x80))
          (then
            (i32.store8 (local.get $out) (local.get $length))
            (local.set $out (i32.add (i32.add (local.get $out) (i32.const 1)) (local.get $length))))
          (else
            (loop $next_byte
              (i32.store8 (local.get $out) (i32.or (local.get $length) (i32.const 0x80)))
              (local.set $out (i32.add (local.get $out) (i32.const 1)))
              (local.set $length (i32.shr_u (local.get $length) (i32.const 7)))
              (br_if $next_byte (i32.ge_u (local.get $length) (i32.const 0x80))))
            (i32.store8 (local.get $out) (local.get $length))
            (local.set $out (i32.add (local.get $out) (i32.const 1)))
            (local.set $length (i32.sub (local.get $end) (local.get $at)))
            (memory.copy (local.get $out) (local.get $at) (local.get $length))
            (local.set $out (i32.add (local.get $out) (local.get $length)))))
        (i32.store (local.get $slot) (local.get $out))
        (local.set $at (i32.add (local.get $end) (i32.const 1)))
        (local.set $done (i32.add (local.get $done) (i32.const 1)))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (local.set $column
          (select
            (i32.const 0)
            (local.get $column)
            (i32.eq (local.get $column) (local.get $columns))))
        (br $next)))
    (local.get $done)
    (local.get $at)))
