import { z } from 'zod';

/** The service catalog of the configuration: what depends on what, and how much each service matters. */
export const servicesConfig = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      /** 1 carries the business, 4 nobody would miss for a day. */
      tier: z.int().min(1).max(4).default(3),
      team: z.string().default(''),
      depends_on: z.array(z.string().min(1)).default([]),
      /** Availability promised, in percent, such as 99.95. */
      sla: z.number().min(0).max(100).optional(),
      description: z.string().default(''),
    }),
  )
  .default([]);

export type ServicesConfig = z.output<typeof servicesConfig>;

/** Labels that may name the service of an alert; the first one present counts. */
export const serviceLabelsConfig = z
  .array(z.string().min(1))
  .default(['service', 'app', 'application', 'service_name', 'app_kubernetes_io_name', 'component', 'job']);
