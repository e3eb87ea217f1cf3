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
         * @description Lists the tokens of the current user by ascending id, expired ones included, without secrets: all of them, or with `limit` a page, where the Link header names the next one.
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
         * @description Revokes and removes a token of the current user. The answer is the same whether there was one.
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
        /** @description What to create. Members that the server sets may be sent and are ignored, whatever they hold. */
        patSchema: {
            /** @description Identifies the token. Set by the server; a value that is sent is ignored. */
            id?: number;
            /** @description The token used for authentication. Set by the server; a value that is sent is ignored. */
            secret?: string;
            /**
             * Format: date-time
             * @description When the token is to expire. Without it, after the default lifetime.
             */
            expiresAt?: string;
            /**
             * Format: date-time
             * @description When the token was created. Set by the server; a value that is sent is ignored.
             */
            createdAt?: string;
            /**
             * Format: date-time
             * @description When the token was last used. Set by the server; a value that is sent is ignored.
             */
            seenAt?: string | null;
            /** @description A text to tell the token from the user's others; unique among them. */
            description?: string;
        };
        /** @description A new token with its secret. */
        patCreatedSchema: {
            /**
             * Format: int64
             * @description Identifies the token.
             */
            id: number;
            /** @description The token used for authentication. No other answer has it. */
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
             * @description When the token was last used; null if it was not.
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
             * @description When the token was last used; null if it was not.
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
            /** @description The X-Request-Id of the answer. */
            id: string;
            /**
             * @description The sort of error.
             * @enum {string}
             */
            name: "BadDataError" | "AuthenticationRequired" | "UnauthorizedError" | "OperationDeniedError" | "ForbiddenError" | "NotFoundError" | "NameExistsError" | "ContentTypeError" | "MethodNotAllowedError" | "PayloadTooLargeError" | "RateLimitError" | "UnknownError" | "ServiceUnavailableError";
            /** @description What is wrong. */
            message: string;
            /** @description Everything that is wrong. */
            details: components["schemas"]["apiErrorDetailSchema"][];
        };
        /** @description One thing that is wrong. Both texts are alike. */
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
        /**
         * @description How many entries a page has at most. Without it the list is whole.
         * @example 20
         */
        Limit: number;
        /** @description The next_cursor of the page before; without it the list begins at its start. */
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
         * @description Names the request in the server's log; the sender's own value if it was well-formed.
         * @example 7f9c2ba4-e88f-4827-a604-550767d6f1a2
         */
        RequestId: string;
        /**
         * @description How to authenticate (RFC 6750 section 3). It names an error only where a credential was read.
         * @example Bearer realm="tokenwright", error="invalid_token"
         */
        Challenge: string;
        /**
         * @description That the credential does not reach this far (RFC 6750 section 3.1).
         * @example Bearer realm="tokenwright", error="insufficient_scope"
         */
        ScopeChallenge: string;
        /**
         * @description Seconds after which to try again (RFC 9110 section 10.2.3).
         * @example 1
         */
        RetryAfter: number;
        /**
         * @description Always `no-store`: the answer holds a secret.
         * @example no-store
         */
        NoStore: string;
        /**
         * @description The path of the token, absolute.
         * @example http://127.0.0.1:8080/api/admin/user/tokens/17
         */
        Location: string;
        /**
         * @description The next page, if there is one, with the relation next (RFC 8288).
         * @example <http://127.0.0.1:8080/api/admin/user/tokens?cursor=dW5sZWFzaC8xNw>; rel="next"
         */
        Link: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getPats: {
        parameters: {
            query?: {
                /**
                 * @description How many entries a page has at most. Without it the list is whole.
                 * @example 20
                 */
                limit?: components["parameters"]["Limit"];
                /** @description The next_cursor of the page before; without it the list begins at its start. */
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
            /** @description The body, the query or the path does not fit. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The credential is missing or not valid. */
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
            /** @description The limit is reached, or the credential belongs to no user. */
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
            /** @description Too many requests. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description A fault of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The server cannot answer now; trying again may help. */
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
            header?: never;
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
            /** @description The body, the query or the path does not fit. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The credential is missing or not valid. */
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
            /** @description The limit is reached, or the credential belongs to no user. */
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
            /** @description Another token of the caller has this description. */
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
            /** @description Too many requests. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description A fault of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The server cannot answer now; trying again may help. */
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
            /** @description The body, the query or the path does not fit. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The credential is missing or not valid. */
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
            /** @description The limit is reached, or the credential belongs to no user. */
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
            /** @description Too many requests. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description A fault of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The server cannot answer now; trying again may help. */
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
            /** @description The current user has no token of this id any more. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The body, the query or the path does not fit. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The credential is missing or not valid. */
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
            /** @description The limit is reached, or the credential belongs to no user. */
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
            /** @description Too many requests. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description A fault of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["apiErrorSchema"];
                };
            };
            /** @description The server cannot answer now; trying again may help. */
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
