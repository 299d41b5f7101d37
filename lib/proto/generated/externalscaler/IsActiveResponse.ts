// Original file: externalscaler.proto


export interface IsActiveResponseInput {
  'result'?: (boolean);
}

export interface IsActiveResponse {
  'result': (boolean);
}
