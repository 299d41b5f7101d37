/*
 * Finds the packets of a trace in which there is nothing to do (../../reading/packets): it takes a loop of JavaScript, which every
 * thread would have to optimize for itself, longer. What it does not decide at a glance, it leaves to that loop.
 */
#include "addon.h"

#define PACKET_TAG 0x0a
/* Fields that JavaScript looks at. */
#define ZSTD_COMPRESSED_PACKETS 133
#define EXTENSION_DESCRIPTOR 72
#define VARINT_BYTES_MAX 10
/* Numbers of more bytes are left to JavaScript. */
#define SHORT_VARINT_BYTES 4

struct bytes {
  const uint8_t *at;
  size_t length;
};

/* Reads a short varint at `at`. Returns the offset after it, or 0. */
static size_t short_varint(const uint8_t *bytes, size_t at, size_t to, uint32_t *value) {
  *value = 0;
  for (unsigned nth = 0; nth < SHORT_VARINT_BYTES && at + nth < to; nth++) {
    *value |= (uint32_t)(bytes[at + nth] & 0x7f) << (7 * nth);
    if (bytes[at + nth] < 0x80) return at + nth + 1;
  }
  return 0;
}

static size_t after_varint(const uint8_t *bytes, size_t at, size_t to) {
  for (unsigned nth = 0; nth < VARINT_BYTES_MAX && at + nth < to; nth++)
    if (bytes[at + nth] < 0x80) return at + nth + 1;
  return 0;
}

/* Returns the offset after the value of a field, which may be beyond `to`; 0 if that is not sure. */
static size_t after_value(const uint8_t *bytes, size_t at, size_t to, uint32_t wire_type) {
  uint32_t length;
  switch (wire_type) {
    case 0: return after_varint(bytes, at, to);
    case 1: return at + 8;
    case 2: {
      const size_t next = short_varint(bytes, at, to, &length);
      return next == 0 ? 0 : next + length;
    }
    case 5: return at + 4;
    default: return 0;
  }
}

/* Whether the packet consists of whole fields that the engine knows. An empty `known` knows all. */
static bool is_plain(const uint8_t *bytes, size_t at, size_t to, struct bytes known) {
  while (at < to) {
    uint32_t tag;
    at = short_varint(bytes, at, to, &tag);
    const uint32_t field = tag >> 3;
    if (at == 0 || field == ZSTD_COMPRESSED_PACKETS || field == EXTENSION_DESCRIPTOR) return false;
    if (known.length > 0 && (field >= known.length || known.at[field] != 1)) return false;
    at = after_value(bytes, at, to, tag & 7);
    if (at == 0 || at > to) return false;
  }
  return true;
}

static size_t after_plain_packets(struct bytes trace, size_t at, struct bytes known) {
  while (at + 1 < trace.length && trace.at[at] == PACKET_TAG) {
    uint32_t length;
    const size_t body = short_varint(trace.at, at + 1, trace.length, &length);
    if (body == 0 || length > trace.length - body || !is_plain(trace.at, body, body + length, known)) break;
    at = body + length;
  }
  return at;
}

static struct bytes bytes_of(napi_env env, napi_value value) {
  struct bytes bytes = {NULL, 0};
  void *at = NULL;
  if (napi_get_typedarray_info(env, value, NULL, &bytes.length, &at, NULL, NULL) != 0) bytes.length = 0;
  bytes.at = at;
  return bytes;
}

/* afterPlainPackets(bytes, at, known): number */
static napi_value js_after_plain(napi_env env, napi_callback_info info) {
  napi_value args[3], result;
  size_t count = 3;
  double at = 0;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  napi_get_value_double(env, args[1], &at);
  const size_t end = after_plain_packets(bytes_of(env, args[0]), (size_t)at, bytes_of(env, args[2]));
  napi_create_double(env, (double)end, &result);
  return result;
}

void set_packet_functions(napi_env env, napi_value exports) {
  static const struct function functions[] = {{"afterPlainPackets", js_after_plain}};
  set_functions(env, exports, functions, 1);
}
