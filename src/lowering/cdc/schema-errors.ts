import type { ErrorFields, ErrorRewrite } from '../../contracts/rewriter.ts';
import { adminNeeded, notSetUp, readOnlyTransaction } from '../../core/errors/cdc.ts';
import { fieldsOf } from '../refusal.ts';

/**
 * What schema heliosdb can answer in place of doing what it was asked. The names in a message are
 * the same in every message language; a statement beside ours has other names.
 */

const missing: ErrorFields = fieldsOf(notSetUp());

/** Nobody was there who could have handed changes over. */
export const handoverErrors: readonly ErrorRewrite[] = [
  { when: { code: '42704', messageIncludes: 'heliosdb.cdc_events_' }, fields: missing },
];

/** The same for each statement of a kind, so that a Query of many has them once. */
const known: Map<string, readonly ErrorRewrite[]> = new Map();

function remembered(name: string, make: () => readonly ErrorRewrite[]): readonly ErrorRewrite[] {
  const errors = known.get(name) ?? make();
  known.set(name, errors);
  return errors;
}

/** @param statement the verb @param relation the view it reads */
export function relationErrors(statement: string, relation: string): readonly ErrorRewrite[] {
  return remembered(relation, () => errorsOfRelation(statement, relation));
}

/** @param statement the verb @param procedure what it calls */
export function procedureErrors(statement: string, procedure: string): readonly ErrorRewrite[] {
  return remembered(procedure, () => errorsOfProcedure(statement, procedure));
}

function errorsOfRelation(statement: string, relation: string): readonly ErrorRewrite[] {
  const qualified = `heliosdb.${relation}`;
  return [
    { when: { code: '42P01', messageIncludes: qualified }, fields: missing },
    ...denials(statement, relation),
  ];
}

function errorsOfProcedure(statement: string, procedure: string): readonly ErrorRewrite[] {
  const qualified = `heliosdb.${procedure}`;
  return [
    { when: { code: '42883', messageIncludes: qualified }, fields: missing },
    {
      when: { code: '25006', routine: 'PreventCommandIfReadOnly', contextIncludes: procedure },
      fields: fieldsOf(readOnlyTransaction(statement)),
    },
    ...denials(statement, procedure),
  ];
}

/** Both may lack the schema, or the right to use it. */
function denials(statement: string, name: string): readonly ErrorRewrite[] {
  const fields = fieldsOf(adminNeeded(statement));
  return [
    {
      when: { code: '3F000', routine: 'get_namespace_oid', messageIncludes: 'heliosdb' },
      fields: missing,
    },
    { when: { code: '42501', routine: 'aclcheck_error', messageIncludes: name }, fields },
    { when: { code: '42501', routine: 'aclcheck_error', messageIncludes: 'heliosdb' }, fields },
  ];
}
