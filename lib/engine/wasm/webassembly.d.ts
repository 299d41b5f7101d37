// The part of the WebAssembly API that this room uses: @types/node declares only `Module`, and the DOM
// library would declare all APIs of a browser.
declare namespace WebAssembly {
  interface ImportDescriptor {
    module: string;
    name: string;
    kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
  }
  type Imports = Record<string, Record<string, unknown>>;
  type Exports = Record<string, unknown>;

  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): ImportDescriptor[];
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number | bigint): number | bigint;
  }
  class Table {
    grow(elements: number | bigint): number | bigint;
    set(index: number | bigint, value: unknown): void;
  }
  function validate(bytes: Uint8Array): boolean;
  function compile(bytes: Uint8Array): Promise<Module>;
}
