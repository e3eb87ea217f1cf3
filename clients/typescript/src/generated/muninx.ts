// Code generated from openapi/muninx.yaml by scripts/generate.mjs. DO NOT EDIT.

export interface paths {
    "/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List API tokens
         * @description Lists the tokens of the calling user, newest first, without secrets.
         */
        get: operations["listTokens"];
        put?: never;
        /**
         * Create API token
         * @description Creates an API token of the calling user and returns the raw token once.
         */
        post: operations["createToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a token.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        /**
         * Get API token
         * @description Returns a token of the calling user, without its secret.
         */
        get: operations["getToken"];
        put?: never;
        post?: never;
        /**
         * Delete API token
         * @description Revokes a token of the calling user and removes it. It stops working before the response is sent.
         */
        delete: operations["deleteToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What to create. */
        TokenCreate: {
            /** @description A name for the token, not only white space, without control characters and without those that override or isolate the direction of text (U+202A to U+202E, U+2066 to U+2069). */
            name: string;
        };
        /** @description A new token with its secret. */
        TokenCreated: {
            /** @description Identifies the token; a UUID version 7. */
            id: string;
            /** @description The requested name. */
            name: string;
            /** @description The raw API token. No other response contains it. */
            token: string;
            /**
             * Format: date-time
             * @description When the token was created.
             */
            created_at: string;
        };
        /** @description A token without its secret. */
        Token: {
            /** @description Identifies the token; a UUID version 7. */
            id: string;
            /** @description Its name. */
            name: string;
            /**
             * @description Whether the token works. An administrator can suspend or revoke it.
             * @enum {string}
             */
            status: "active" | "suspended" | "revoked" | "expired";
            /**
             * Format: date-time
             * @description When the token was created.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When the token expires; null if never.
             */
            expires_at: string | null;
            /**
             * Format: date-time
             * @description When the token was last used; null if never.
             */
            last_used_at: string | null;
        };
        /** @description A page of tokens. */
        TokenList: {
            /** @description The tokens, newest first. */
            items: components["schemas"]["Token"][];
            /** @description The cursor of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description Problem details (RFC 9457). */
        Problem: {
            /**
             * Format: uri
             * @description Identifies the type of problem.
             */
            type: string;
            /** @description The type of problem in words. */
            title: string;
            /**
             * Format: int32
             * @description The status code of the response.
             */
            status: number;
            /** @description What is wrong in this case. */
            detail: string;
            /**
             * Format: uri
             * @description Identifies this occurrence.
             */
            instance?: string;
            /** @description The X-Request-Id of the response. */
            request_id: string;
            /** @description All errors in the request. */
            errors?: components["schemas"]["Fault"][];
        } & {
            [key: string]: unknown;
        };
        /** @description One error in a request. */
        Fault: {
            /** @description What is required. */
            detail: string;
            /** @description JSON pointer (RFC 6901) to the member of the body. */
            pointer?: string;
            /** @description The name of the query or path parameter. */
            parameter?: string;
        };
    };
    responses: never;
    parameters: {
        /** @description Makes it safe to send the request again (draft-ietf-httpapi-idempotency-key-header): for 24 hours the same caller gets the same response for the same key, operation and body, with its secret. 16 to 255 visible ASCII characters; quotes around them are not part of the key. Choose it at random, such as a UUID. */
        IdempotencyKey: string;
        /**
         * @description The maximum number of entries in a page.
         * @example 20
         */
        Limit: number;
        /** @description The next_cursor of the previous page; the first page if missing. */
        Cursor: string;
        /**
         * @description The id of a token.
         * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
         */
        TokenId: string;
    };
    requestBodies: never;
    headers: {
        /**
         * @description Identifies the request in the server's log; the client's own value if it was well-formed.
         * @example 7f9c2ba4-e88f-4827-a604-550767d6f1a2
         */
        RequestId: string;
        /**
         * @description The challenge (RFC 6750 section 3). It has an error only if the request had a credential.
         * @example Bearer realm="tokenwright", error="invalid_token"
         */
        Challenge: string;
        /**
         * @description The challenge of a credential with insufficient scope (RFC 6750 section 3.1).
         * @example Bearer realm="tokenwright", error="insufficient_scope"
         */
        ScopeChallenge: string;
        /**
         * @description The limit that was exceeded, and for how many seconds (draft-ietf-httpapi-ratelimit-headers).
         * @example "creates";r=0;t=1
         */
        RateLimit: string;
        /**
         * @description That limit, as a quota and the seconds for which it is given (draft-ietf-httpapi-ratelimit-headers).
         * @example "creates";q=100;w=1
         */
        RateLimitPolicy: string;
        /**
         * @description Seconds to wait before a retry (RFC 9110 section 10.2.3).
         * @example 1
         */
        RetryAfter: number;
        /**
         * @description Always `no-store`: the response contains a secret.
         * @example no-store
         */
        NoStore: string;
        /**
         * @description Present and true if the response is that of an earlier request with the same Idempotency-Key.
         * @example true
         */
        Replayed: boolean;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listTokens: {
        parameters: {
            query?: {
                /**
                 * @description The maximum number of entries in a page.
                 * @example 20
                 */
                limit?: components["parameters"]["Limit"];
                /** @description The next_cursor of the previous page; the first page if missing. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of tokens. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *           "name": "CI token",
                     *           "status": "active",
                     *           "created_at": "2026-06-11T10:00:00Z",
                     *           "expires_at": null,
                     *           "last_used_at": "2026-06-12T08:30:12.5Z"
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["TokenList"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential does not belong to a user. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes it safe to send the request again (draft-ietf-httpapi-idempotency-key-header): for 24 hours the same caller gets the same response for the same key, operation and body, with its secret. 16 to 255 visible ASCII characters; quotes around them are not part of the key. Choose it at random, such as a UUID. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "CI token"
                 *     }
                 */
                "application/json": components["schemas"]["TokenCreate"];
            };
        };
        responses: {
            /** @description The token, with its secret. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    "Idempotency-Replayed": components["headers"]["Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *       "name": "CI token",
                     *       "token": "muninx_4fKq0ZsT1vXy7BwPa9LcNd2RgUe5Hm3Jo6ih",
                     *       "created_at": "2026-06-11T10:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["TokenCreated"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential does not belong to a user. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A request with the Idempotency-Key is in progress, or the secret of its response no longer works. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Idempotency-Key belongs to a request with another body. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a token.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *       "name": "CI token",
                     *       "status": "active",
                     *       "created_at": "2026-06-11T10:00:00Z",
                     *       "expires_at": null,
                     *       "last_used_at": "2026-06-12T08:30:12.5Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Token"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential does not belong to a user. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller has no such token. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a token.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token was removed. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential does not belong to a user. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller has no such token. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
