/** Fastify with the types and schemas of the contract. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { ErrorResponse } from '../contract/page.ts';

/** The same server; handlers of its routes have the types of their schemas. */
export function typed(app: FastifyInstance) {
  return app.withTypeProvider<TypeBoxTypeProvider>();
}

/** Options of a route: the parts of requests to check, and the forms of responses. */
export function schemaOf<
  Response extends TSchema,
  Request extends { body?: TSchema; params?: TSchema; querystring?: TSchema } = object,
>(success: Response, request?: Request) {
  const response = { 200: success, '4xx': ErrorResponse, '5xx': ErrorResponse };
  return { schema: { ...(request as Request), response } };
}
