/* The functions for images (../addon.ts declares them). A key is a text; it is cut after KEY_BYTES_MAX. */
#include <string.h>

#include "addon.h"
#include "image.h"
#include "source.h"

#define KEY_BYTES_MAX 128

struct key {
  char text[KEY_BYTES_MAX];
};

static struct key key_of(napi_env env, napi_value value) {
  struct key key = {{0}};
  size_t length;
  napi_get_value_string_utf8(env, value, key.text, sizeof key.text, &length);
  return key;
}

static napi_value boolean(napi_env env, bool value) {
  napi_value result;
  napi_get_boolean(env, value, &result);
  return result;
}

/* Detaches the earlier buffer, whose pages were replaced. An instance without memory has a buffer of no bytes. */
static napi_value replaced(napi_env env, struct arguments all, bool success) {
  if (!success && all.instance->module.w2c_memory.size > 0) return undefined(env);
  napi_detach_arraybuffer(env, all.value[1]);
  return buffer_of(env, all.instance);
}

/* beginImage(handle, bytes): boolean */
static napi_value js_begin(napi_env env, napi_callback_info info) {
  struct arguments all = arguments_of(env, info);
  double bytes = 0;
  napi_get_value_double(env, all.value[1], &bytes);
  return boolean(env, begin_image(all.instance, (uint64_t)bytes));
}

/* writeImage(handle, at, bytes): boolean */
static napi_value js_write(napi_env env, napi_callback_info info) {
  struct arguments all = arguments_of(env, info);
  double at = 0;
  void *from = NULL;
  size_t length = 0;
  napi_get_value_double(env, all.value[1], &at);
  napi_get_typedarray_info(env, all.value[2], NULL, &length, &from, NULL, NULL);
  return boolean(env, write_image(all.instance, (uint64_t)at, from, length));
}

/* readFrom(handle, file, regions, regionBytes): boolean; `regions` are as in source.h */
static napi_value js_read_from(napi_env env, napi_callback_info info) {
  struct arguments all = arguments_of(env, info);
  int32_t file = -1;
  double region_bytes = 0;
  void *regions = NULL;
  size_t length = 0;
  napi_get_value_int32(env, all.value[1], &file);
  napi_get_typedarray_info(env, all.value[2], NULL, &length, &regions, NULL, NULL);
  napi_get_value_double(env, all.value[3], &region_bytes);
  const size_t count = length / sizeof(struct region);
  return boolean(env, read_image_from(all.instance, file, (uint64_t)region_bytes, regions, count));
}

/* readWhole(handle): boolean */
static napi_value js_read_whole(napi_env env, napi_callback_info info) {
  return boolean(env, read_whole(arguments_of(env, info).instance));
}

/* check(bytes, into) */
static napi_value js_check(napi_env env, napi_callback_info info) {
  napi_value args[2];
  size_t count = 2, length = 0, room = 0;
  void *bytes = NULL, *into = NULL;
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  napi_get_typedarray_info(env, args[0], NULL, &length, &bytes, NULL, NULL);
  napi_get_typedarray_info(env, args[1], NULL, &room, &into, NULL, NULL);
  const struct check check = check_of(bytes, length);
  if (room == sizeof check) memcpy(into, &check, sizeof check);
  return undefined(env);
}

/* dropImage(handle) */
static napi_value js_drop(napi_env env, napi_callback_info info) {
  drop_image(arguments_of(env, info).instance);
  return undefined(env);
}

/* adoptImage(handle, buffer, key): ArrayBuffer | undefined */
static napi_value js_adopt(napi_env env, napi_callback_info info) {
  struct arguments all = arguments_of(env, info);
  const struct key key = key_of(env, all.value[2]);
  return replaced(env, all, adopt_image(all.instance, key.text));
}

/* mapImage(handle, buffer, key): ArrayBuffer | undefined */
static napi_value js_map(napi_env env, napi_callback_info info) {
  struct arguments all = arguments_of(env, info);
  const struct key key = key_of(env, all.value[2]);
  return replaced(env, all, map_image(all.instance, key.text));
}

/* zeroMemory(handle, buffer, bytes): ArrayBuffer */
static napi_value js_zero(napi_env env, napi_callback_info info) {
  struct arguments all = arguments_of(env, info);
  double bytes = 0;
  napi_get_value_double(env, all.value[2], &bytes);
  const bool success = replace_memory(all.instance, -1, (uint64_t)bytes);
  leave_image(all.instance);
  return replaced(env, all, success);
}

/* hasImage(key): boolean */
static napi_value js_has(napi_env env, napi_callback_info info) {
  const struct key key = key_of(env, arguments_of(env, info).value[0]);
  return boolean(env, has_image(key.text));
}

/* changedBytes(handle): number */
static napi_value js_changed(napi_env env, napi_callback_info info) {
  napi_value result;
  napi_create_double(env, (double)changed_bytes(arguments_of(env, info).instance), &result);
  return result;
}

void set_image_functions(napi_env env, napi_value exports) {
  static const struct function functions[] = {
      {"beginImage", js_begin}, {"writeImage", js_write}, {"dropImage", js_drop},
      {"readFrom", js_read_from}, {"readWhole", js_read_whole}, {"adoptImage", js_adopt},
      {"mapImage", js_map}, {"zeroMemory", js_zero}, {"hasImage", js_has}, {"changedBytes", js_changed}};
  set_functions(env, exports, functions, sizeof functions / sizeof *functions);
  static const struct function check[] = {{"check", js_check}};
  if (can_check()) set_functions(env, exports, check, 1);
}
