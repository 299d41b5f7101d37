/** The contents of the `.proto` files, as protobufjs represents them; `npm run proto` writes them. */
import type { INamespace } from 'protobufjs';
import definitions from './generated/definitions.json' with { type: 'json' };

/** TypeScript infers a type of its own for the file, to which the library's types do not apply. */
export const DEFINITIONS = definitions as unknown as INamespace;
