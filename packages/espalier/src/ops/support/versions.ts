/**
 * Schemas that stay the same from version to version and only take more data types, as those of most operators that
 * move elements do.
 */
import {
  allTypes,
  allTypes13,
  allTypes21,
  allTypes23,
  allTypes24,
  allTypes25,
  type Schema,
  type TypeName,
} from '../schema.ts'

/** Data types by the operator-set version that brought them. */
export type TypesByVersion = Readonly<Record<number, readonly TypeName[]>>

/** "All tensor types" of operator set 13, for what has been unchanged since. */
export const upTo13: TypesByVersion = { 13: allTypes13 }
/** "All tensor types" from operator set 21 on, each time a data type was added. */
export const since21: TypesByVersion = { 21: allTypes21, 23: allTypes23, 24: allTypes24, 25: allTypes25 }
/** "All tensor types" of operator sets 1 and 13: the two that most operators of this family have. */
export const from1To13: TypesByVersion = { 1: allTypes, ...upTo13 }

/** One schema a version, made from its data types. */
export function versionsOf(
  types: TypesByVersion,
  schemaOf: (types: readonly TypeName[]) => Schema,
): Record<number, Schema> {
  return Object.fromEntries(Object.entries(types).map(([version, list]) => [version, schemaOf(list)]))
}
