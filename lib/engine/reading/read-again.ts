/** How the bytes of a trace are read. A load begins with FIRST_READING; a failure may name another way. */
export interface ReadingMode {
  /** Leave out packets with descriptors of extensions, which the engine has refused. */
  withoutDescriptors: boolean;
}

export const FIRST_READING: ReadingMode = { withoutDescriptors: false };

/** The trace has to be loaded once more from its first byte, in another mode. */
export class ReadAgain extends Error {
  override readonly name = 'ReadAgain';
  readonly mode: ReadingMode;

  constructor(mode: ReadingMode) {
    super('the trace has to be read again in another way');
    this.mode = mode;
  }
}
