/*
 * An image is a file in memory (memfd). It is sealed before it is mapped: its pages can neither change, nor disappear, which
 * would be a fault (SIGBUS). It exists as long as an instance has it.
 */
#define _GNU_SOURCE
#include "image.h"
#include "source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)
#define PAGE_BYTES 4096u
/* Flags of an entry in /proc/self/pagemap. */
#define PAGE_PRESENT (1ull << 63)
#define PAGE_SWAPPED (1ull << 62)
#define PAGE_OF_FILE (1ull << 61)

struct image {
  char *key;
  int file;
  uint64_t bytes;
  /* What it is read from as it is touched; NULL if it is complete. */
  struct source *source;
  /* Instances that have it. */
  unsigned references;
  struct image *next;
};

/* Guards all images. */
static pthread_mutex_t images_lock = PTHREAD_MUTEX_INITIALIZER;
static struct image *images;

static struct image *find(const char *key) {
  struct image *image = images;
  while (image != NULL && (strcmp(image->key, key) != 0 || is_damaged(image->source))) image = image->next;
  return image;
}

/* Returns the image if nobody has it any more. The caller ends it without the lock: its memory may take long to free. */
static struct image *dereference(struct image *image) {
  if (image == NULL || --image->references > 0) return NULL;
  struct image **at = &images;
  while (*at != image) at = &(*at)->next;
  *at = image->next;
  return image;
}

static void end(struct image *image) {
  if (image == NULL) return;
  end_source(image->source);
  close(image->file);
  free(image->key);
  free(image);
}

void drop_image(struct instance *instance) {
  end_source(instance->begun_source);
  instance->begun_source = NULL;
  if (instance->has_begun) close(instance->begun);
  instance->has_begun = false;
}

bool begin_image(struct instance *instance, uint64_t bytes) {
  drop_image(instance);
  instance->begun = memfd_create("bigtrace image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  instance->has_begun = instance->begun >= 0;
  if (instance->has_begun && ftruncate(instance->begun, (off_t)bytes) == 0) return true;
  drop_image(instance);
  return false;
}

bool write_image(struct instance *instance, uint64_t at, const uint8_t *from, size_t length) {
  if (!instance->has_begun) return false;
  while (length > 0) {
    const ssize_t written = pwrite(instance->begun, from, length, (off_t)at);
    if (written <= 0) return false;
    at += (size_t)written;
    from += written;
    length -= (size_t)written;
  }
  return true;
}

bool read_image_from(struct instance *instance, int file, uint64_t region_bytes, const struct region *regions, size_t count) {
  if (!instance->has_begun || instance->begun_source != NULL) return false;
  const off_t bytes = lseek(instance->begun, 0, SEEK_END);
  instance->begun_source = source_of(file, instance->begun, (uint64_t)bytes, region_bytes, regions, count);
  return instance->begun_source != NULL;
}

/* Makes an image of the file, which nobody has yet; what is still read cannot be sealed against that. Sealing may wait for the kernel. */
static struct image *seal(int file, struct source *source, const char *key) {
  const off_t bytes = lseek(file, 0, SEEK_END);
  struct image *image = calloc(1, sizeof *image);
  char *copy = strdup(key);
  if (image == NULL || copy == NULL || bytes <= 0 || fcntl(file, F_ADD_SEALS, source == NULL ? SEALS | F_SEAL_WRITE : SEALS) != 0) {
    free(image);
    free(copy);
    return NULL;
  }
  *image = (struct image){.key = copy, .file = file, .bytes = (uint64_t)bytes, .source = source};
  return image;
}

static void publish(struct image *image) {
  image->next = images;
  images = image;
}

/* Maps the image, of which the caller has a reference for the instance. */
static bool map(struct instance *instance, struct image *image) {
  struct image *const before = instance->image;
  uncover(instance);
  const bool mapped = replace_memory(instance, image->file, image->bytes);
  pthread_mutex_lock(&images_lock);
  struct image *const ended = dereference(before);
  struct image *const failed = mapped ? NULL : dereference(image);
  pthread_mutex_unlock(&images_lock);
  end(ended);
  end(failed);
  instance->image = mapped ? image : NULL;
  if (mapped && image->source != NULL) cover(instance, image->source);
  return mapped;
}

bool adopt_image(struct instance *instance, const char *key) {
  if (!instance->has_begun) return false;
  struct image *const made = seal(instance->begun, instance->begun_source, key);
  pthread_mutex_lock(&images_lock);
  struct image *const known = find(key);
  struct image *const image = known != NULL ? known : made;
  if (known == NULL && made != NULL) publish(made);
  if (image != NULL) image->references++;
  pthread_mutex_unlock(&images_lock);
  if (made != NULL) {
    instance->has_begun = false;
    instance->begun_source = NULL;
  }
  drop_image(instance);
  if (image != made) end(made);
  return image != NULL && map(instance, image);
}

bool map_image(struct instance *instance, const char *key) {
  pthread_mutex_lock(&images_lock);
  struct image *image = find(key);
  if (image != NULL) image->references++;
  pthread_mutex_unlock(&images_lock);
  return image != NULL && map(instance, image);
}

bool has_image(const char *key) {
  pthread_mutex_lock(&images_lock);
  const bool has = find(key) != NULL;
  pthread_mutex_unlock(&images_lock);
  return has;
}

void leave_image(struct instance *instance) {
  uncover(instance);
  if (instance->image == NULL) return;
  pthread_mutex_lock(&images_lock);
  struct image *const ended = dereference(instance->image);
  pthread_mutex_unlock(&images_lock);
  instance->image = NULL;
  end(ended);
}

uint64_t changed_bytes(const struct instance *instance) {
  if (instance->image == NULL) return 0;
  const uint64_t pages = instance->image->bytes / PAGE_BYTES;
  uint64_t entries[1024];
  uint64_t changed = 0;
  const int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (map < 0) return instance->image->bytes; /* it cannot be more */
  const off_t from = (off_t)((uintptr_t)instance->module.w2c_memory.data / PAGE_BYTES * sizeof *entries);
  for (uint64_t page = 0; page < pages;) {
    const uint64_t count = pages - page < 1024 ? pages - page : 1024;
    const ssize_t bytes = pread(map, entries, count * sizeof *entries, from + (off_t)(page * sizeof *entries));
    if (bytes <= 0) {
      changed += pages - page;
      break;
    }
    const uint64_t got = (uint64_t)bytes / sizeof *entries;
    for (uint64_t at = 0; at < got; at++)
      if ((entries[at] & (PAGE_PRESENT | PAGE_SWAPPED)) != 0 && (entries[at] & PAGE_OF_FILE) == 0) changed++;
    page += got;
  }
  close(map);
  return changed * PAGE_BYTES;
}
