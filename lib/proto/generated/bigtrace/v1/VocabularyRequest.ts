// Original file: bigtrace.proto


export interface VocabularyRequestInput {
  /**
   * name of an engine, as in scripts; empty: the engine of scripts that name none
   */
  'engine'?: (string);
}

export interface VocabularyRequest {
  /**
   * name of an engine, as in scripts; empty: the engine of scripts that name none
   */
  'engine': (string);
}
