// Original file: bigtrace.proto

import type { VocabularyColumnInput as _bigtrace_v1_VocabularyColumnInput, VocabularyColumn as _bigtrace_v1_VocabularyColumn } from '../../bigtrace/v1/VocabularyColumn.ts';

export interface VocabularyFunctionInput {
  'name'?: (string);
  /**
   * scalar, table or macro
   */
  'kind'?: (string);
  'about'?: (string);
  'argument'?: (_bigtrace_v1_VocabularyColumnInput)[];
  /**
   * type of the result; empty for a table, or if unknown
   */
  'returns'?: (string);
  /**
   * of the table that it returns
   */
  'column'?: (_bigtrace_v1_VocabularyColumnInput)[];
}

export interface VocabularyFunction {
  'name': (string);
  /**
   * scalar, table or macro
   */
  'kind': (string);
  'about': (string);
  'argument': (_bigtrace_v1_VocabularyColumn)[];
  /**
   * type of the result; empty for a table, or if unknown
   */
  'returns': (string);
  /**
   * of the table that it returns
   */
  'column': (_bigtrace_v1_VocabularyColumn)[];
}
