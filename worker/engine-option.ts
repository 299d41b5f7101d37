/** Defines the flag for the engine of `bigtrace worker`, and of `bigtrace up`, which passes it to its workers. */
import { Option } from 'commander';

export function engineOption(): Option {
  return new Option(
    '--engine <name|dir>',
    'engine to use: the name of one that `bigtrace engine add` installed, `bundled`, or a directory with its files ' +
      '(default: the one of `bigtrace engine use`, or the bundled one)',
  ).env('BIGTRACE_ENGINE');
}
