import type { Constant } from './literal.ts';
import { quote } from './literal.ts';

interface At {
  /** Into the text of the tree, in UTF-16 units. */
  readonly offset: number;
}

export type Operand =
  | (At & { readonly kind: 'dot' })
  | (At & { readonly kind: 'nil' })
  | (At & { readonly kind: 'bool'; readonly value: boolean })
  | (At & { readonly kind: 'number'; readonly text: string; readonly constant: Constant })
  | (At & { readonly kind: 'string'; readonly literal: string; readonly value: string })
  | (At & { readonly kind: 'identifier'; readonly name: string })
  | (At & { readonly kind: 'field'; readonly names: readonly string[] })
  | (At & { readonly kind: 'variable'; readonly name: string; readonly fields: readonly string[] })
  | (At & { readonly kind: 'chain'; readonly node: Operand; readonly fields: readonly string[] })
  | Pipeline;

export interface Command extends At {
  readonly kind: 'command';
  readonly operands: readonly [Operand, ...Operand[]];
}

export interface Pipeline extends At {
  readonly kind: 'pipeline';
  /** Variables with their dollar sign. */
  readonly variables: readonly string[];
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
}

export interface Branch extends At {
  readonly kind: 'if' | 'range' | 'with';
  readonly pipeline: Pipeline;
  readonly body: List;
  readonly otherwise: List | null;
}

export interface List extends At {
  readonly kind: 'list';
  readonly nodes: readonly Node[];
}

export type Node =
  | (At & { readonly kind: 'text'; readonly text: string })
  | (At & { readonly kind: 'action'; readonly pipeline: Pipeline })
  | (At & { readonly kind: 'break' | 'continue' })
  | (At & { readonly kind: 'template'; readonly name: string; readonly pipeline: Pipeline | null })
  | Branch;

/** A template: what it is made of, and the text that it stands in. */
export interface Tree {
  readonly name: string;
  /** The name of what was parsed: a file, or empty. */
  readonly source: string;
  readonly text: string;
  readonly root: List;
}

/** Nothing but white space: such a definition does not replace another. */
export function isEmptyList({ nodes }: List): boolean {
  return nodes.every((node) => node.kind === 'text' && node.text.trim() === '');
}

/** The names of the templates that a list calls. */
export function calledNames({ nodes }: List): string[] {
  return nodes.flatMap((node) => {
    switch (node.kind) {
      case 'template':
        return [node.name];
      case 'if':
      case 'range':
      case 'with':
        return [...calledNames(node.body), ...(node.otherwise ? calledNames(node.otherwise) : [])];
      default:
        return [];
    }
  });
}

/** The node as Go's messages quote it. */
export function nodeText(node: Operand | Command | Node | List): string {
  switch (node.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'bool':
      return String(node.value);
    case 'number':
      return node.text;
    case 'string':
      return node.literal;
    case 'identifier':
      return node.name;
    case 'field':
      return node.names.map((name) => `.${name}`).join('');
    case 'variable':
      return [node.name, ...node.fields].join('.');
    case 'chain':
      return [
        node.node.kind === 'pipeline' ? `(${nodeText(node.node)})` : nodeText(node.node),
        ...node.fields,
      ].join('.');
    case 'command':
      return node.operands
        .map((operand) => (operand.kind === 'pipeline' ? `(${nodeText(operand)})` : nodeText(operand)))
        .join(' ');
    case 'pipeline': {
      const declared =
        node.variables.length > 0 ? `${node.variables.join(', ')} ${node.isAssignment ? '=' : ':='} ` : '';
      return declared + node.commands.map(nodeText).join(' | ');
    }
    case 'text':
      return node.text;
    case 'action':
      return `{{${nodeText(node.pipeline)}}}`;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'template':
      return `{{template ${quote(node.name)}${node.pipeline ? ` ${nodeText(node.pipeline)}` : ''}}}`;
    case 'list':
      return node.nodes.map(nodeText).join('');
    default: {
      const otherwise = node.otherwise ? `{{else}}${nodeText(node.otherwise)}` : '';
      return `{{${node.kind} ${nodeText(node.pipeline)}}}${nodeText(node.body)}${otherwise}{{end}}`;
    }
  }
}
