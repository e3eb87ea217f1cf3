// Code generated from openapi/unleash.yaml by scripts/generate.mjs. DO NOT EDIT.

export interface paths {
    "/api/admin/user/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Personal Access Tokens.
         * @description Lists the tokens of the current user by ascending id, including expired ones, without secrets: all of them, or with `limit` a page, where the Link header has the next one.
         */
        get: operations["getPats"];
        put?: never;
        /**
         * Create a new Personal Access Token.
         * @description Creates a Personal Access Token for the current user and returns its secret once.
         */
        post: operations["createPat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/user/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a token.
                 * @example 17
                 */
                id: components["parameters"]["PatId"];
            };
            cookie?: never;
        };
        /**
         * Get a Personal Access Token.
         * @description Returns a token of the current user, without its secret.
         */
        get: operations["getPat"];
        put?: never;
        post?: never;
        /**
         * Delete a Personal Access Token.
         * @description Revokes and removes a token of the current user. The response is the same if the token does not exist.
         */
        delete: operations["deletePat"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What to create. Members that the server sets are ignored, whatever their values. */
        patSchema: {
            /** @description Identifies the token. Set by the server; ignored in requests. */
            id?: number;
            /** @description The token used for authentication. Set by the server; ignored in requests. */
            secret?: string;
            /**
             * Format: date-time
             * @description When the token expires. Without it, after the default lifetime.
             */
            expiresAt?: string;
            /**
             * Format: date-time
             * @description When the token was created. Set by the server; ignored in requests.
             */
            createdAt?: string;
            /**
             * Format: date-time
             * @description When the token was last used. Set by the server; ignored in requests.
             */
            seenAt?: string | null;
            /** @description A text to identify the token, unique among the user's tokens. */
            description?: string;
        };
        /** @description A new token with its secret. */
        patCreatedSchema: {
            /**
             * Format: int64
             * @description Identifies the token.
             */
            id: number;
            /** @description The token used for authentication. No other response contains it. */
            secret: string;
            /**
             * Format: date-time
             * @description When the token expires.
             */
            expiresAt: string;
            /**
             * Format: date-time
             * @description When the token was created.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When the token was last used; null if never.
             */
            seenAt: string | null;
            /**
             * Format: int64
             * @description The user who owns the token.
             */
            userId: number;
            /** @description The description; null if there is none. */
            description: string | null;
        };
        /** @description A token without its secret. */
        patItemSchema: {
            /**
             * Format: int64
             * @description Identifies the token.
             */
            id: number;
            /**
             * Format: date-time
             * @description When the token expires.
             */
            expiresAt: string;
            /**
             * Format: date-time
             * @description When the token was created.
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When the token was last used; null if never.
             */
            seenAt: string | null;
            /**
             * Format: int64
             * @description The user who owns the token.
             */
            userId: number;
            /** @description The description; null if there is none. */
            description: string | null;
        };
        /** @description A page of tokens. */
        patsSchema: {
            /** @description The tokens, by ascending id. */
            pats: components["schemas"]["patItemSchema"][];
        };
        /** @description An error. */
        apiErrorSchema: {
            /** @description The X-Request-Id of the response. */
            id: string;
            /**
             * @description The type of error.
             * @enum {string}
             */
            name: "BadDataError" | "AuthenticationRequired" | "UnauthorizedError" | "OperationDeniedError" | "ForbiddenError" | "NotFoundError" | "NameExistsError" | "ContentTypeError" | "MethodNotAllowedError" | "PayloadTooLargeError" | "RateLimitError" | "UnknownError" | "ServiceUnavailableError";
            /** @description What is wrong. */
            message: string;
            /** @description All errors. */
            details: components["schemas"]["apiErrorDetailSchema"][];
        };
        /** @description One error. Both texts are the same. */
        apiErrorDetailSchema: {
            /** @description What is wrong. */
            message: string;
            /** @description What is wrong. */
            description: string;
            /** @description Where it is wrong, as in /body/expiresAt. */
            path?: string;
        };
    };
    responses: never;
    parameters: {
        /** @description Makes it safe to send the request again (draft-ietf-httpapi-idempotency-key-header): for 24 hours the same caller gets the same response for the same key, operation and body, with its secret. 16 to 255 visible ASCII characters; quotes around them are not part of the key. Choose it at random, such as a UUID. */
        IdempotencyKey: string;
        /**
         * @description The maximum number of entries in a page. Without it the list is complete.
         * @example 20
         */
        Limit: number;
        /** @description The next_cursor of the previous page; the first page if missing. */
        Cursor: string;
        /**
         * @description The id of a token.
         * @example 17
         */
        PatId: number;
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
         * @description The path of the token, absolute.
         * @example http://127.0.0.1:8080/api/admin/user/tokens/17
         */
        Location: string;
        /**
         * @description The link to the next page, if any, with the relation next (RFC 8288).
         * @example <http://127.0.0.1:8080/api/admin/user/tokens?cursor=dW5sZWFzaC8xNw>; rel="next"
         */
        Link: string;
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
    getPats: {
        parameters: {
            query?: {
                /**
                 * @description The maximum number of entries in a page. Without it the list is complete.
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
            /** @description The tokens. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    Link: components["headers"]["Link"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "pats": [
                     *         {
                     *           "id": 17,
                     *           "createdAt": "2026-11-01T08:00:00.000Z",
                     *           "seenAt": null,
                     *           "expiresAt": "2026-12-01T08:00:00.000Z",
                     *           "userId": 1,
                     *           "description": "laptop"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["patsSchema"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The limit is reached, or the credential does not belong to a user. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
        };
    };
    createPat: {
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
                 *       "description": "laptop"
                 *     }
                 */
                "application/json": components["schemas"]["patSchema"];
            };
        };
        responses: {
            /** @description The token, with its secret. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    Location: components["headers"]["Location"];
                    "Cache-Control": components["headers"]["NoStore"];
                    "Idempotency-Replayed": components["headers"]["Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 17,
                     *       "createdAt": "2026-11-01T08:00:00.000Z",
                     *       "secret": "user:3f1c0d9a4b7e6258a1c3e5f70918273645546372819fa0b1c2d3e4f5",
                     *       "seenAt": null,
                     *       "expiresAt": "2026-12-01T08:00:00.000Z",
                     *       "userId": 1,
                     *       "description": "laptop"
                     *     }
                     */
                    "application/json": components["schemas"]["patCreatedSchema"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The limit is reached, or the credential does not belong to a user. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description Another token of the caller has this description, a request with the Idempotency-Key is in progress, or the secret of its response no longer works. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The Idempotency-Key belongs to a request with another body. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
        };
    };
    getPat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a token.
                 * @example 17
                 */
                id: components["parameters"]["PatId"];
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
                     *       "id": 17,
                     *       "createdAt": "2026-11-01T08:00:00.000Z",
                     *       "seenAt": null,
                     *       "expiresAt": "2026-12-01T08:00:00.000Z",
                     *       "userId": 1,
                     *       "description": "laptop"
                     *     }
                     */
                    "application/json": components["schemas"]["patItemSchema"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The limit is reached, or the credential does not belong to a user. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The caller has no such token. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
        };
    };
    deletePat: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a token.
                 * @example 17
                 */
                id: components["parameters"]["PatId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The current user has no token with this id any more. */
            200: {
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
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The limit is reached, or the credential does not belong to a user. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
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
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
        };
    };
}
