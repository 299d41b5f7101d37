// Original file: health.proto


export interface HealthListRequestInput {
}

export interface HealthListRequest {
}
