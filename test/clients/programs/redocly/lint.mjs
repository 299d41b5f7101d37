/** Prints what Redocly's recommended rules find in the OpenAPI file of the first argument. */
import { createConfig, lint } from '@redocly/openapi-core';

const config = await createConfig({ extends: ['recommended'] });
for (const { severity, ruleId, message, location } of await lint({ ref: process.argv[2], config }))
  console.log(severity, ruleId, message.replaceAll('\n', ' '), location?.[0]?.pointer);
