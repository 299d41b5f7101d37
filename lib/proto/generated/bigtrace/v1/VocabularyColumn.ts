// Original file: bigtrace.proto


export interface VocabularyColumnInput {
  'name'?: (string);
  /**
   * as declared; empty if unknown
   */
  'type'?: (string);
  'about'?: (string);
}

export interface VocabularyColumn {
  'name': (string);
  /**
   * as declared; empty if unknown
   */
  'type': (string);
  'about': (string);
}
