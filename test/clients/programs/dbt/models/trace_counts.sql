{{ config(materialized='incremental', order_by='_trace_address', unique_key='_trace_address') }}
SELECT _trace_address, n
FROM bigtrace.bigtrace(traces = ['/local/linux/*'], sql = 'SELECT count(*) AS n FROM slice')
{% if is_incremental() %}
WHERE _trace_address NOT IN (SELECT _trace_address FROM {{ this }})
{% endif %}
