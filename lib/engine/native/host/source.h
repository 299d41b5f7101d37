/*
 * A source: the file on disk from which the memory of an image is read, a region at a time, as instances touch it. A region is
 * used only after its check was found to be correct, and from a copy in memory: what happens to the file later changes nothing.
 */
#ifndef BIGTRACE_SOURCE_H
#define BIGTRACE_SOURCE_H

#include "instance.h"

/* Four sums of 32 bits, each over every fourth word of 64 bits. */
struct check {
  uint32_t sums[4];
};

/* Whether the processor has the instruction for checks. */
bool can_check(void);
/* The check of these bytes, whose number is a multiple of 32. */
struct check check_of(const uint8_t *bytes, size_t length);

/* Where a region is in the file; NOWHERE if it is all zero. */
#define NOWHERE UINT64_MAX
struct region {
  uint64_t at;
  struct check check;
};

/*
 * Makes a source of the file for an image of so many bytes, whose own file is `memory`; both remain the caller's. NULL if there is
 * no memory for it, there are more than REGIONS_MAX regions, or the processor cannot check them. */
struct source *source_of(int file, int memory, uint64_t bytes, uint64_t region_bytes, const struct region *regions, size_t count);
void end_source(struct source *);

/* Whether a part of the file was found to be damaged, or could not be read. */
bool is_damaged(const struct source *);

/* Makes what was not read inaccessible in the memory of the instance, which maps the image of the source. */
void cover(struct instance *, struct source *);
/* Ends that, before the instance gets another memory. */
void uncover(struct instance *);

/* Makes accessible what was accessible before the memory was made inaccessible as a whole. The caller has the instance's lock. */
bool expose_again(struct instance *);

/*
 * For the handler of faults: reads what the instance lacks at the address. Returns false if it lacks nothing there. If it cannot be
 * read, the instance is lost, and finds zeros there. */
bool resolve_fault(struct instance *, const uint8_t *at);
/* Returns the instance with a source in whose memory the address is, or NULL. */
struct instance *covered_at(const uint8_t *at);

/* Reads all of it. Returns false if the instance is lost. */
bool read_whole(struct instance *);

#endif
