import { type Body, bodyOf, listOf, type Node, namesOf, tagOf } from './parse-tree.ts';

/**
 * The name Postgres gives an output column without AS (FigureColname in parse_target.c). Lowering
 * has to spell it out wherever it replaces the expression the name came from.
 */
export function columnName(node: Node): string {
  return figure(node).name ?? '?column?';
}

/** `strong` names win over those of an outer cast or CASE. */
type Figure = { readonly name: string | undefined; readonly strong: boolean };

const nothing: Figure = { name: undefined, strong: false };
const strong = (name: string): Figure => ({ name, strong: true });
const weak = (name: string): Figure => ({ name, strong: false });

const fixedNames: Readonly<Record<string, string>> = {
  GroupingFunc: 'grouping',
  MergeSupportFunc: 'merge_action',
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  CoalesceExpr: 'coalesce',
  XmlSerialize: 'xmlserialize',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
};

function figure(node: Node): Figure {
  const tag = tagOf(node);
  const body = node[tag];
  if (body === undefined) return nothing;
  const fixed = fixedNames[tag];
  if (fixed !== undefined) return strong(fixed);
  switch (tag) {
    case 'ColumnRef':
      return lastName(listOf(body, 'fields'));
    case 'A_Indirection': {
      const name = lastName(listOf(body, 'indirection'));
      return name.name === undefined ? figure(body['arg'] as Node) : name;
    }
    case 'FuncCall':
      return lastName(listOf(body, 'funcname'));
    case 'A_Expr':
      return body['kind'] === 'AEXPR_NULLIF' ? strong('nullif') : nothing;
    case 'TypeCast':
      return figureCast(body);
    case 'CollateClause':
      return figure(body['arg'] as Node);
    case 'CaseExpr': {
      const otherwise =
        body['defresult'] === undefined ? nothing : figure(body['defresult'] as Node);
      return otherwise.strong ? otherwise : weak('case');
    }
    case 'MinMaxExpr':
      return strong(body['op'] === 'IS_LEAST' ? 'least' : 'greatest');
    case 'SubLink':
      return figureSubLink(body);
    case 'SQLValueFunction':
      return strong(valueFunctionName(body['op'] as string | undefined));
    case 'XmlExpr':
      return figureXml((body['op'] as string | undefined) ?? 'IS_XMLCONCAT');
    case 'JsonFuncExpr':
      return strong(jsonFunctionName(body['op'] as string | undefined));
    default:
      return nothing;
  }
}

function lastName(nodes: readonly Node[]): Figure {
  const names = namesOf(nodes.filter((node) => bodyOf(node, 'String') !== undefined));
  const last = names.at(-1);
  return last === undefined ? nothing : strong(last);
}

function figureCast(body: Body): Figure {
  const inner = figure(body['arg'] as Node);
  if (inner.strong) return inner;
  const type = namesOf(listOf(body['typeName'] as Body, 'names')).at(-1);
  return type === undefined ? inner : weak(type);
}

function figureSubLink(body: Body): Figure {
  switch (body['subLinkType']) {
    case 'EXISTS_SUBLINK':
      return strong('exists');
    case 'ARRAY_SUBLINK':
      return strong('array');
    case 'EXPR_SUBLINK': {
      const select = bodyOf(body['subselect'], 'SelectStmt');
      return strong(select === undefined ? '?column?' : firstOutputName(select));
    }
    default:
      return nothing;
  }
}

function firstOutputName(select: Body): string {
  const left = select['larg'] as Body | undefined;
  if (left !== undefined) return firstOutputName(left);
  if (select['valuesLists'] !== undefined) return 'column1';
  const target = bodyOf(listOf(select, 'targetList')[0], 'ResTarget');
  if (target === undefined) return '?column?';
  return (target['name'] as string | undefined) ?? columnName(target['val'] as Node);
}

function valueFunctionName(op: string | undefined): string {
  return (op ?? 'SVFOP_CURRENT_DATE')
    .replace(/^SVFOP_/, '')
    .replace(/_N$/, '')
    .toLowerCase();
}

function figureXml(op: string): Figure {
  return op === 'IS_DOCUMENT' ? nothing : strong(op.slice(3).toLowerCase());
}

function jsonFunctionName(op: string | undefined): string {
  return (op ?? 'JSON_EXISTS_OP').replace(/_OP$/, '').toLowerCase();
}
