// Original file: externalscaler.proto


export interface ScaledObjectRefInput {
  'name'?: (string);
  'namespace'?: (string);
  /**
   * `metadata` of the trigger
   */
  'scalerMetadata'?: ({[key: string]: string});
}

export interface ScaledObjectRef {
  'name': (string);
  'namespace': (string);
  /**
   * `metadata` of the trigger
   */
  'scalerMetadata': ({[key: string]: string});
}
