/** What an attribute's value is: only `plain` values may be named by an action. */
export type AttributeKind = 'plain' | 'unsafe' | 'url' | 'css' | 'js' | 'html' | 'srcset';

const urls =
  'action archive background cite classid codebase data formaction href icon longdesc manifest poster profile src usemap xmlns';
const unsafe =
  'accept-charset async challenge charset content crossorigin defer enctype form formenctype formmethod formnovalidate http-equiv keytype language method novalidate pattern rel sandbox type value';
const plain =
  'accept alt autocomplete autofocus autoplay border checked class cols colspan contenteditable contextmenu controls coords datetime default dir dirname disabled draggable dropzone for formtarget headers height hidden high hreflang id ismap kind label lang list loop low max maxlength media mediagroup min multiple name open optimum placeholder preload pubdate radiogroup readonly required reversed rows rowspan scope scoped seamless selected shape size sizes span spellcheck srclang start step tabindex target title width wrap';

const kinds: ReadonlyMap<string, AttributeKind> = new Map<string, AttributeKind>([
  ...urls.split(' ').map((name): [string, AttributeKind] => [name, 'url']),
  ...unsafe.split(' ').map((name): [string, AttributeKind] => [name, 'unsafe']),
  ...plain.split(' ').map((name): [string, AttributeKind] => [name, 'plain']),
  ['srcdoc', 'html'],
  ['srcset', 'srcset'],
  ['style', 'css'],
]);

/** What the value of the attribute of that name (in lower case) is, as html/template/attr.go guesses it. */
export function attributeKind(attribute: string): AttributeKind {
  const [prefix = '', ...rest] = attribute.split(':');
  let name = attribute;
  if (attribute.startsWith('data-')) name = attribute.slice(5);
  else if (rest.length > 0) {
    if (prefix === 'xmlns') return 'url';
    name = rest.join(':');
  }
  const kind = kinds.get(name);
  if (kind) return kind;
  if (name.startsWith('on')) return 'js';
  return /src|uri|url/.test(name) ? 'url' : 'plain';
}
