/*
 * JSON schemas that several routes share. Those of requests are strict; those of answers are there to
 * be read.
 */

export const PROBLEM_SCHEMA = {
  description: 'What is wrong: problem details of RFC 9457',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail', 'code', 'problems'],
        properties: {
          type: { type: 'string', description: 'where docs/errors.md explains the code' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          code: { type: 'string', pattern: '^TSHA_E_' },
          problems: {
            type: 'array',
            description: 'all that is wrong, at once',
            items: {
              type: 'object',
              required: ['detail'],
              properties: {
                pointer: { type: 'string', description: 'JSON pointer into the body: #/weight' },
                parameter: { type: 'string', description: 'part of the address' },
                detail: { type: 'string' }
              }
            }
          }
        }
      }
    }
  }
} as const

export const LINES_SCHEMA = {
  description: 'It was done: lines for people',
  type: 'object',
  required: ['lines'],
  properties: { lines: { type: 'array', items: { type: 'string' } } }
} as const

/** Of a request that says everything with its path. */
export const NO_BODY_SCHEMA = { type: ['object', 'null'], additionalProperties: false } as const

/** A name in a path. */
export function nameSchema(description: string) {
  return { type: 'string', minLength: 1, maxLength: 255, description } as const
}
