// Original file: bigtrace.proto

import type { VocabularyColumnInput as _bigtrace_v1_VocabularyColumnInput, VocabularyColumn as _bigtrace_v1_VocabularyColumn } from '../../bigtrace/v1/VocabularyColumn.ts';

export interface VocabularyTableInput {
  'name'?: (string);
  'isView'?: (boolean);
  /**
   * the comment that documents it
   */
  'about'?: (string);
  'column'?: (_bigtrace_v1_VocabularyColumnInput)[];
}

export interface VocabularyTable {
  'name': (string);
  'isView': (boolean);
  /**
   * the comment that documents it
   */
  'about': (string);
  'column': (_bigtrace_v1_VocabularyColumn)[];
}
