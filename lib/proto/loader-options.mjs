/**
 * How proto-loader represents messages in JavaScript. services.ts loads the `.proto` files with these options, and
 * tools/build/proto-types.mjs generates the TypeScript types for them. int64 values are counters and sizes below 2^53.
 */
export const LOADER_OPTIONS = {
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
  oneofs: true,
};
