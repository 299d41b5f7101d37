/** Schemas that the messages of the HTTP API are made of. */
import { type TSchema, type TUnsafe, Type } from 'typebox';

export const text = Type.String();
export const texts = Type.Array(text);
export const flag = Type.Boolean();
export const count = Type.Integer({ minimum: 0 });
export const counts = Type.Unsafe<Record<string, number>>({
  type: 'object',
  additionalProperties: count,
});
/** An object whose members are not checked. */
export const anyObject = Type.Unsafe<object>({ type: 'object', additionalProperties: true });
export const textOrNull = nullable(text);

/** OpenAPI 3.0 has no type `null`; Fastify serializes `nullable` faster than a union. */
export function nullable<Schema extends TSchema>(
  schema: Schema,
): TUnsafe<Type.Static<Schema> | null> {
  return Type.Unsafe<Type.Static<Schema> | null>({ ...schema, nullable: true });
}

/** One of the given texts. */
export function oneOf<const Text extends string>(values: readonly Text[]): TUnsafe<Text> {
  return Type.Unsafe<Text>({ type: 'string', enum: values });
}

/** A member that may be missing. */
export const maybe = Type.Optional;
