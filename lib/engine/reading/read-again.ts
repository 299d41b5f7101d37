/** How the bytes of a trace are read. A load begins with FIRST_READING; after a failure, ReadAgain names another. */
export interface ReadingMode {
  /** Leave out packets with extension descriptors, because the engine refused them. */
  withoutDescriptors: boolean;
  /**
   * What happens to zip, tar and gzip files: they go to the engine unchanged; they are written anew, with what the
   * engine cannot read converted in their members; or they are written anew without the members that are no traces.
   */
  archives: 'unchanged' | 'rewritten' | 'traces only';
}

export const FIRST_READING: ReadingMode = { withoutDescriptors: false, archives: 'unchanged' };

/** The trace must be loaded again from its first byte, in another mode. */
export class ReadAgain extends Error {
  override readonly name = 'ReadAgain';
  readonly mode: ReadingMode;

  constructor(mode: ReadingMode) {
    super('the trace must be read again in another way');
    this.mode = mode;
  }
}
