/** The names that scripts can use on an engine, as the API returns them. */
import type { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import type {
  VocabularyFunction as FunctionMessage,
  VocabularyModule as ModuleMessage,
} from '../../lib/proto/messages.ts';
import type { Vocabulary, VocabularyFunction, VocabularyModule } from './console.ts';

/** Reads the vocabulary of an engine. @param engine empty: that of scripts that name none */
export async function readVocabulary(
  client: Pick<OrchestratorClient, 'vocabulary'>,
  engine: string,
  signal: AbortSignal,
): Promise<Vocabulary> {
  const whole: Vocabulary = { engine: '', engineName: '', modules: [] };
  for await (const part of client.vocabulary(engine, signal)) {
    whole.engine ||= part.engine;
    whole.engineName ||= part.engineName;
    whole.modules.push(...part.module.map(moduleOf));
  }
  return whole;
}

function moduleOf({ name, table, function: functions }: ModuleMessage): VocabularyModule {
  return {
    name,
    tables: table.map(({ column: columns, ...one }) => ({ ...one, columns })),
    functions: functions.map(functionOf),
  };
}

function functionOf({ argument: args, column: columns, kind, ...one }: FunctionMessage) {
  return { ...one, kind: kind as VocabularyFunction['kind'], args, columns };
}
