{{ config(materialized='view') }}
SELECT name, count() AS n FROM {{ ref('slices') }} GROUP BY name
