/** Checks that this process and its children may open enough files. */
import { BigtraceError } from '../../lib/common/errors.ts';
import { openFilesMax } from '../../lib/common/file-limit.ts';

/**
 * Minimum limit of open files. The embedded ClickHouse aborts if it cannot open a descriptor for a new connection. A
 * query uses about ten, an idle server about a hundred.
 */
const DESCRIPTORS_MIN = 1024;

/**
 * @param filesMax how many files this process may open
 * @throws invalid_option if the limit is too low
 */
export function checkDescriptors(filesMax = openFilesMax()): void {
  if (filesMax >= DESCRIPTORS_MIN) return;
  throw new BigtraceError(
    'invalid_option',
    `this process may open ${filesMax} files, but bigtrace up needs ${DESCRIPTORS_MIN}; ` +
      `raise the limit (ulimit -n ${DESCRIPTORS_MIN}, LimitNOFILE= of systemd, --ulimit nofile= of docker run)`,
  );
}
