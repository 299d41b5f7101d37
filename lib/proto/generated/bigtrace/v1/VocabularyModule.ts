// Original file: bigtrace.proto

import type { VocabularyTableInput as _bigtrace_v1_VocabularyTableInput, VocabularyTable as _bigtrace_v1_VocabularyTable } from '../../bigtrace/v1/VocabularyTable.ts';
import type { VocabularyFunctionInput as _bigtrace_v1_VocabularyFunctionInput, VocabularyFunction as _bigtrace_v1_VocabularyFunction } from '../../bigtrace/v1/VocabularyFunction.ts';

export interface VocabularyModuleInput {
  /**
   * as in INCLUDE PERFETTO MODULE; empty: part of the engine itself
   */
  'name'?: (string);
  'table'?: (_bigtrace_v1_VocabularyTableInput)[];
  'function'?: (_bigtrace_v1_VocabularyFunctionInput)[];
}

export interface VocabularyModule {
  /**
   * as in INCLUDE PERFETTO MODULE; empty: part of the engine itself
   */
  'name': (string);
  'table': (_bigtrace_v1_VocabularyTable)[];
  'function': (_bigtrace_v1_VocabularyFunction)[];
}
