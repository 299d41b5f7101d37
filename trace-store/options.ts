/** What an operator can say about stores, and the flags for it. */
import { type Command, Option } from 'commander';

/** A store that is left out is not there: its addresses are invalid_address. */
export interface StoreOptions {
  /** Directory whose files are `/local/…`. */
  localRoot?: string;
}

interface Flags {
  traces?: string;
}

/** Adds the flags; `storeOptionsOf` reads them. */
export function addStoreOptions(command: Command): Command {
  return command.addOption(
    new Option('--traces <dir>', 'directory that /local/… addresses are in').env('BIGTRACE_TRACES'),
  );
}

export function storeOptionsOf(command: Command): StoreOptions {
  const flags = command.opts<Flags>();
  return {
    ...(flags.traces === undefined ? {} : { localRoot: flags.traces }),
  };
}
