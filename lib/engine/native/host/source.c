#define _GNU_SOURCE
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct source {
  int file;
  /* The image's own file, as all instances see it. */
  uint8_t *memory;
  uint64_t bytes;
  uint64_t region_bytes;
  struct region *regions;
  size_t count;
  /* Guards the reading of regions. A thread that faults while it has it could not go on; it touches no instance then. */
  pthread_mutex_t lock;
  atomic_bool read[REGIONS_MAX];
  atomic_bool damaged;
};

/*
 * Each accessible part between inaccessible ones takes two mappings, and a process may have 65,530: V8 ends it when there is none
 * left. Beyond so many parts of all instances, an instance reads its whole memory at once, which is one mapping then.
 */
#define PARTS_MAX 12288
static atomic_size_t parts;

static pthread_mutex_t covered_lock = PTHREAD_MUTEX_INITIALIZER;
/* The instances with a source. */
static struct instance *covered;

__attribute__((target("sse4.2"))) struct check check_of(const uint8_t *bytes, size_t length) {
  uint64_t sums[4] = {1, 2, 3, 4};
  for (size_t at = 0; at + 32 <= length; at += 32) {
    uint64_t words[4];
    memcpy(words, bytes + at, sizeof words);
    for (int lane = 0; lane < 4; lane++) sums[lane] = __builtin_ia32_crc32di(sums[lane], words[lane]);
  }
  return (struct check){{(uint32_t)sums[0], (uint32_t)sums[1], (uint32_t)sums[2], (uint32_t)sums[3]}};
}

bool can_check(void) { return __builtin_cpu_supports("sse4.2"); }

struct source *source_of(int file, int memory, uint64_t bytes, uint64_t region_bytes, const struct region *regions, size_t count) {
  if (!can_check() || count > REGIONS_MAX || count * region_bytes < bytes) return NULL;
  struct source *source = calloc(1, sizeof *source);
  struct region *copy = malloc(count * sizeof *copy);
  void *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory, 0);
  const int own = fcntl(file, F_DUPFD_CLOEXEC, 0);
  if (source == NULL || copy == NULL || mapped == MAP_FAILED || own < 0) {
    if (own >= 0) close(own);
    if (mapped != MAP_FAILED) munmap(mapped, bytes);
    free(copy);
    free(source);
    return NULL;
  }
  memcpy(copy, regions, count * sizeof *copy);
  source->file = own;
  source->memory = mapped;
  source->bytes = bytes;
  source->region_bytes = region_bytes;
  source->regions = copy;
  source->count = count;
  pthread_mutex_init(&source->lock, NULL);
  return source;
}

void end_source(struct source *source) {
  if (source == NULL) return;
  close(source->file);
  munmap(source->memory, source->bytes);
  pthread_mutex_destroy(&source->lock);
  free(source->regions);
  free(source);
}

bool is_damaged(const struct source *source) { return source != NULL && atomic_load(&source->damaged); }

static uint64_t length_of(const struct source *source, size_t region) {
  const uint64_t rest = source->bytes - region * source->region_bytes;
  return rest < source->region_bytes ? rest : source->region_bytes;
}

static bool read_bytes(int file, uint8_t *into, size_t length, uint64_t at) {
  while (length > 0) {
    const ssize_t got = pread(file, into, length, (off_t)at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into += got;
    at += (uint64_t)got;
    length -= (size_t)got;
  }
  return true;
}

/* The bytes that are not correct are made zero: nobody has seen them. */
static bool read_region(struct source *source, size_t region) {
  const struct region *entry = &source->regions[region];
  if (entry->at == NOWHERE) return true;
  uint8_t *into = source->memory + region * source->region_bytes;
  const size_t length = length_of(source, region);
  if (read_bytes(source->file, into, length, entry->at)) {
    const struct check check = check_of(into, length);
    if (memcmp(&check, &entry->check, sizeof check) == 0) return true;
  }
  madvise(into, length, MADV_REMOVE);
  return false;
}

static bool is_read(struct source *source, size_t region) {
  if (atomic_load(&source->read[region])) return true;
  pthread_mutex_lock(&source->lock);
  const bool read = atomic_load(&source->read[region]) || read_region(source, region);
  if (read) atomic_store(&source->read[region], true);
  else atomic_store(&source->damaged, true);
  pthread_mutex_unlock(&source->lock);
  return read;
}

static bool protect_regions(struct instance *instance, size_t from, size_t to, int protection) {
  const struct source *source = instance->source;
  const uint64_t begin = from * source->region_bytes;
  const uint64_t end = to == source->count ? source->bytes : to * source->region_bytes;
  return begin == end || mprotect(instance->module.w2c_memory.data + begin, end - begin, protection) == 0;
}

bool expose_again(struct instance *instance) {
  const struct source *source = instance->source;
  bool exposed = true;
  for (size_t from = 0; from < source->count;) {
    size_t to = from;
    while (to < source->count && instance->exposed[to]) to++;
    if (to > from) exposed = protect_regions(instance, from, to, PROT_READ | PROT_WRITE) && exposed;
    from = to + 1;
  }
  const wasm_rt_memory_t *memory = &instance->module.w2c_memory;
  const bool has_grown = memory->size > source->bytes;
  return (!has_grown || mprotect(memory->data + source->bytes, memory->size - source->bytes, PROT_READ | PROT_WRITE) == 0) && exposed;
}

static void count_parts(struct instance *instance, size_t now) {
  atomic_fetch_add(&parts, now - instance->parts);
  instance->parts = now;
}

/* Makes all of it one mapping. The caller has the instance's lock. */
static void expose_whole(struct instance *instance) {
  for (size_t region = 0; region < instance->source->count; region++) {
    if (!is_read(instance->source, region)) instance->lost = true;
    instance->exposed[region] = true;
  }
  if (!protect_regions(instance, 0, instance->source->count, PROT_READ | PROT_WRITE)) abort();
  if (instance->inside) guard_stack(instance, PROT_NONE);
  count_parts(instance, 0);
}

/* The caller has the instance's lock. */
static void expose(struct instance *instance, size_t region) {
  if (instance->exposed[region]) return;
  const bool *exposed = instance->exposed;
  const size_t joined = (region > 0 && exposed[region - 1]) + (region + 1 < instance->source->count && exposed[region + 1]);
  if (!is_read(instance->source, region)) instance->lost = true;
  instance->exposed[region] = true;
  count_parts(instance, instance->parts + 1 - joined);
  const bool is_exposed = atomic_load(&parts) <= PARTS_MAX && protect_regions(instance, region, region + 1, PROT_READ | PROT_WRITE);
  if (!is_exposed) expose_whole(instance);
}

static size_t parts_of(const struct instance *instance) {
  size_t count = 0;
  for (size_t region = 0; region < instance->source->count; region++)
    if (instance->exposed[region] && (region == 0 || !instance->exposed[region - 1])) count++;
  return count;
}

void cover(struct instance *instance, struct source *source) {
  pthread_mutex_lock(&instance->lock);
  instance->source = source;
  const bool is_covered = protect_regions(instance, 0, source->count, PROT_NONE);
  for (size_t region = 0; region < source->count; region++) instance->exposed[region] = atomic_load(&source->read[region]);
  count_parts(instance, parts_of(instance));
  if (!is_covered || atomic_load(&parts) > PARTS_MAX || !expose_again(instance)) expose_whole(instance);
  /* The pages that guard the stack have a protection of their own. */
  const uint64_t guard_to = (uint64_t)instance->guard_at + instance->guard_bytes;
  for (uint64_t region = instance->guard_at / source->region_bytes; region < source->count && region * source->region_bytes < guard_to; region++)
    expose(instance, region);
  pthread_mutex_unlock(&instance->lock);
  pthread_mutex_lock(&covered_lock);
  instance->next_covered = covered;
  covered = instance;
  pthread_mutex_unlock(&covered_lock);
}

void uncover(struct instance *instance) {
  instance->lost = false;
  if (instance->source == NULL) return;
  pthread_mutex_lock(&covered_lock);
  struct instance **at = &covered;
  while (*at != instance) at = &(*at)->next_covered;
  *at = instance->next_covered;
  pthread_mutex_unlock(&covered_lock);
  count_parts(instance, 0);
  instance->source = NULL;
}

struct instance *covered_at(const uint8_t *at) {
  pthread_mutex_lock(&covered_lock);
  struct instance *instance = covered;
  while (instance != NULL) {
    const wasm_rt_memory_t *memory = &instance->module.w2c_memory;
    if (at >= memory->data && at < memory->data + memory->size) break;
    instance = instance->next_covered;
  }
  pthread_mutex_unlock(&covered_lock);
  return instance;
}

/* Reads what `expose` needs, without the instance's lock: the main thread waits for that when it interrupts the instance. */
static void read_before(const struct instance *instance, size_t region) {
  is_read(instance->source, region);
  if (atomic_load(&parts) < PARTS_MAX) return;
  for (size_t each = 0; each < instance->source->count && !atomic_load(&instance->interrupted); each++) is_read(instance->source, each);
}

bool resolve_fault(struct instance *instance, const uint8_t *at) {
  const struct source *source = instance->source;
  const uint8_t *data = instance->module.w2c_memory.data;
  if (source == NULL || at < data || at >= data + source->bytes) return false;
  const size_t region = (size_t)(at - data) / source->region_bytes;
  if (instance->exposed[region]) return false; /* only this thread changes that */
  read_before(instance, region);
  pthread_mutex_lock(&instance->lock);
  const bool is_interrupted = instance->inside && atomic_load(&instance->interrupted);
  if (!is_interrupted) expose(instance, region);
  pthread_mutex_unlock(&instance->lock);
  return !is_interrupted;
}

bool read_whole(struct instance *instance) {
  if (instance->source == NULL) return true;
  for (size_t region = 0; region < instance->source->count; region++) {
    if (!instance->exposed[region]) is_read(instance->source, region);
    pthread_mutex_lock(&instance->lock);
    expose(instance, region);
    pthread_mutex_unlock(&instance->lock);
  }
  return !instance->lost;
}
