// Original file: bigtrace.proto

import type { VocabularyModuleInput as _bigtrace_v1_VocabularyModuleInput, VocabularyModule as _bigtrace_v1_VocabularyModule } from '../../bigtrace/v1/VocabularyModule.ts';

/**
 * The first message has the engine; all have modules.
 */
export interface VocabularyResponseInput {
  /**
   * WorkerStatus.engine
   */
  'engine'?: (string);
  /**
   * WorkerStatus.engine_name
   */
  'engineName'?: (string);
  'module'?: (_bigtrace_v1_VocabularyModuleInput)[];
}

/**
 * The first message has the engine; all have modules.
 */
export interface VocabularyResponse {
  /**
   * WorkerStatus.engine
   */
  'engine': (string);
  /**
   * WorkerStatus.engine_name
   */
  'engineName': (string);
  'module': (_bigtrace_v1_VocabularyModule)[];
}
