// conf/www/js/api.js by its types, as docs/openapi.yaml describes the API: described.d.ts is generated from that
// (openapi-typescript). What the page's modules make of an answer has to agree with it, status by status.
import type { operations } from './described';

type BodyOf<Response> = Response extends { content: infer Content } ? ([Content] extends [never] ? null : Content[keyof Content]) : null;

// One of the described answers, told apart by its status, or none in time.
type Answer<Operation extends keyof operations> =
    | { [Status in keyof operations[Operation]['responses']]: {
          status: Status;
          body: BodyOf<operations[Operation]['responses'][Status]>;
          etag: string | null;
          retryAfter: number | undefined;
      } }[keyof operations[Operation]['responses']]
    | { status: 0; body: null; etag?: undefined; retryAfter?: undefined };

type Query<Operation extends keyof operations> = NonNullable<operations[Operation]['parameters']['query']>;
type Value = operations['postRating']['requestBody']['content']['application/json']['value'];

// A parameter that is empty is not sent.
type Optional<Parameters> = { [Name in keyof Parameters]?: Parameters[Name] | '' | null };

export function now(): number;
// What the document's data attributes hold is there, or undefined.
type TalkId = string | undefined;

export function getRatings(talk: TalkId, etag?: string | null): Promise<Answer<'getRatings'>>;
export function getMine(talk: TalkId): Promise<Answer<'getOwnRating'>>;
export function getTalks(parameters: Optional<Query<'listTalks'>>, etag?: string | null): Promise<Answer<'listTalks'>>;
export function postRating(talk: TalkId, value: Value, key?: string): Promise<Answer<'postRating'>>;
export function withdrawRating(talk: TalkId, key?: string): Promise<Answer<'deleteRating'>>;
