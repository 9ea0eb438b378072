export { quoteMeta, templateData, type DataOptions, type TemplateData } from './data.ts';
export { TemplateError, type TemplatePosition } from './error.ts';
export { defaultTemplates, loadTemplates, Templates } from './templates.ts';
