;; Loops over the cells of a piece. With SIMD and 64-bit words they take a third of the time of JavaScript.
;; cells.ts fills the memory, and ensures that nothing is read or written beyond it.
(module
  (memory (export "memory") 16 16)

  ;; The kind of each cell of whole rows: 1 is NULL, 2 a varint, 3 a double, 4 a text.
  (global $kinds (export "kinds") i32 (i32.const 0))
  ;; For each column that is read: its position in the row, and the address of its next text; 32 bits each.
  (global $places (export "places") i32 (i32.const 16384))
  (global $slots (export "slots") i32 (i32.const 17408))
  ;; One byte per cell that is read, column by column: 1 if it is NULL.
  (global $nulls (export "nulls") i32 (i32.const 18432))
  ;; The input values, row by row, and the output values, column by column.
  (global $in (export "in") i32 (i32.const 34816))
  (global $out (export "out") i32 (i32.const 231424))

  ;; Reads the varints of $columns columns of $rows rows, which end at $to, and writes each as a 64-bit word to its
  ;; column, one column after the other, with 0 for NULL. Reads up to 10 bytes behind $to.
  ;; Returns the address behind the last varint, which is greater than $to if that varint is cut short; -1 if a varint
  ;; is missing; -2 if one before the last is cut short; -3 if one has more than 10 bytes.
  (func (export "integers")
    (param $to i32) (param $width i32) (param $columns i32) (param $rows i32) (result i32)
    (local $at i32) (local $row i32) (local $column i32) (local $kinds_at i32) (local $into i32) (local $null i32)
    (local $word i64) (local $ends i64) (local $value i64) (local $more i64)
    (local.set $at (global.get $in))
    (local.set $kinds_at (global.get $kinds))
    (loop $next_row
      (local.set $into (i32.add (global.get $out) (i32.shl (local.get $row) (i32.const 3))))
      (local.set $null (i32.add (global.get $nulls) (local.get $row)))
      (local.set $column (i32.const 0))
      (loop $next_column
        (if
          (i32.eq
            (i32.load8_u
              (i32.add
                (local.get $kinds_at)
                (i32.load
                  (i32.add (global.get $places) (i32.shl (local.get $column) (i32.const 2))))))
            (i32.const 2))
          (then
            (if (i32.ge_u (local.get $at) (local.get $to))
              (then (return (i32.sub (i32.const -1) (i32.gt_u (local.get $at) (local.get $to))))))
            (local.set $word (i64.load (local.get $at)))
            (if (i64.eqz (i64.and (local.get $word) (i64.const 0x80)))
              (then
                (local.set $value (i64.and (local.get $word) (i64.const 0x7f)))
                (local.set $at (i32.add (local.get $at) (i32.const 1))))
              (else
                ;; The last byte of a varint has a zero as its highest bit: the value has all bits up to there.
                (local.set $ends
                  (i64.and (i64.xor (local.get $word) (i64.const -1)) (i64.const 0x8080808080808080)))
                (local.set $value
                  (i64.and
                    (i64.and (local.get $word) (i64.const 0x7f7f7f7f7f7f7f7f))
                    (i64.xor (local.get $ends) (i64.sub (local.get $ends) (i64.const 1)))))
                ;; Joins groups of 7 bits to groups of 14, then 28, then one of 56.
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
                        ;; Only one bit of the tenth byte belongs to a 64-bit word.
                        (local.set $value
                          (i64.or
                            (local.get $value)
                            (i64.shl (i64.and (local.get $more) (i64.const 0x100)) (i64.const 55))))
                        (local.set $at (i32.add (local.get $at) (i32.const 1)))))))))
            (i64.store (local.get $into) (local.get $value))
            (i32.store8 (local.get $null) (i32.const 0)))
          (else
            (i64.store (local.get $into) (i64.const 0))
            (i32.store8 (local.get $null) (i32.const 1))))
        (local.set $into (i32.add (local.get $into) (i32.shl (local.get $rows) (i32.const 3))))
        (local.set $null (i32.add (local.get $null) (local.get $rows)))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br_if $next_column (i32.lt_u (local.get $column) (local.get $columns))))
      (local.set $kinds_at (i32.add (local.get $kinds_at) (local.get $width)))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $next_row (i32.lt_u (local.get $row) (local.get $rows))))
    (local.get $at))

  ;; Reads doubles in the same way. It does not check that there are enough: the caller compares the returned address.
  (func (export "doubles") (param $width i32) (param $columns i32) (param $rows i32) (result i32)
    (local $at i32) (local $row i32) (local $column i32) (local $kinds_at i32) (local $into i32) (local $null i32)
    (local.set $at (global.get $in))
    (local.set $kinds_at (global.get $kinds))
    (loop $next_row
      (local.set $into (i32.add (global.get $out) (i32.shl (local.get $row) (i32.const 3))))
      (local.set $null (i32.add (global.get $nulls) (local.get $row)))
      (local.set $column (i32.const 0))
      (loop $next_column
        (if
          (i32.eq
            (i32.load8_u
              (i32.add
                (local.get $kinds_at)
                (i32.load
                  (i32.add (global.get $places) (i32.shl (local.get $column) (i32.const 2))))))
            (i32.const 3))
          (then
            (i64.store (local.get $into) (i64.load (local.get $at)))
            (i32.store8 (local.get $null) (i32.const 0))
            (local.set $at (i32.add (local.get $at) (i32.const 8))))
          (else
            (i64.store (local.get $into) (i64.const 0))
            (i32.store8 (local.get $null) (i32.const 1))))
        (local.set $into (i32.add (local.get $into) (i32.shl (local.get $rows) (i32.const 3))))
        (local.set $null (i32.add (local.get $null) (local.get $rows)))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br_if $next_column (i32.lt_u (local.get $column) (local.get $columns))))
      (local.set $kinds_at (i32.add (local.get $kinds_at) (local.get $width)))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $next_row (i32.lt_u (local.get $row) (local.get $rows))))
    (local.get $at))

  ;; Reads the NUL-terminated texts of $columns columns of $rows rows, from cell number $cell on, and writes each text
  ;; after its length to the address in its column's slot; a NULL as an empty text. Stops at a text that has no NUL
  ;; before $to. Reads up to 16 bytes behind $to, and overwrites up to 16 bytes behind its output.
  ;; Returns the number of the next cell, and the address of its text.
  (func (export "texts")
    (param $to i32) (param $width i32) (param $columns i32) (param $rows i32) (param $cell i32) (result i32 i32)
    (local $at i32) (local $row i32) (local $column i32) (local $kinds_at i32) (local $null i32)
    (local $slot i32) (local $out i32) (local $end i32) (local $length i32) (local $zeros i32)
    (local $bytes v128)
    (local.set $at (global.get $in))
    (local.set $row (i32.div_u (local.get $cell) (local.get $columns)))
    (local.set $column (i32.rem_u (local.get $cell) (local.get $columns)))
    (local.set $kinds_at
      (i32.add (global.get $kinds) (i32.mul (local.get $row) (local.get $width))))
    (block $stop
      (loop $next
        (br_if $stop (i32.eq (local.get $row) (local.get $rows)))
        (local.set $slot (i32.add (global.get $slots) (i32.shl (local.get $column) (i32.const 2))))
        (local.set $out (i32.load (local.get $slot)))
        (local.set $null
          (i32.add
            (i32.add (global.get $nulls) (local.get $row))
            (i32.mul (local.get $column) (local.get $rows))))
        (if
          (i32.eq
            (i32.load8_u
              (i32.add
                (local.get $kinds_at)
                (i32.load
                  (i32.add (global.get $places) (i32.shl (local.get $column) (i32.const 2))))))
            (i32.const 4))
          (then
            (local.set $end (local.get $at))
            ;; Copies the text while searching its end, to where it belongs if its length takes one byte (below 128).
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
                (local.set $out
                  (i32.add (i32.add (local.get $out) (i32.const 1)) (local.get $length))))
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
            (i32.store8 (local.get $null) (i32.const 0))
            (local.set $at (i32.add (local.get $end) (i32.const 1))))
          (else
            (i32.store8 (local.get $null) (i32.const 1))
            (i32.store8 (local.get $out) (i32.const 0))
            (local.set $out (i32.add (local.get $out) (i32.const 1)))))
        (i32.store (local.get $slot) (local.get $out))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (if (i32.eq (local.get $column) (local.get $columns))
          (then
            (local.set $column (i32.const 0))
            (local.set $row (i32.add (local.get $row) (i32.const 1)))
            (local.set $kinds_at (i32.add (local.get $kinds_at) (local.get $width)))))
        (br $next)))
    (i32.add (i32.mul (local.get $row) (local.get $columns)) (local.get $column))
    (local.get $at)))
