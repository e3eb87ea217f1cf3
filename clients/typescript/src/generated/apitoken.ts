// Code generated from openapi/apitoken.yaml by scripts/generate.mjs. DO NOT EDIT.

export interface paths {
    "/api/v1/api_token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List API tokens
         * @description Lists the tokens that the caller may see, newest first, without secrets.
         */
        get: operations["listApiTokens"];
        put?: never;
        /**
         * Create a new API token
         * @description Creates a token for an account or an environment and returns its JWT once.
         */
        post: operations["createApiToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api_token/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a token. */
                id: components["parameters"]["ApiTokenId"];
            };
            cookie?: never;
        };
        /**
         * Get an API token
         * @description Returns a token without its secret.
         */
        get: operations["getApiToken"];
        put?: never;
        post?: never;
        /**
         * Delete an API token
         * @description Removes a token that is revoked or expired.
         */
        delete: operations["deleteApiToken"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api_token/{id}/activate": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a token. */
                id: components["parameters"]["ApiTokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Activate an API token
         * @description Makes a suspended token work again.
         */
        post: operations["activateApiToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api_token/{id}/suspend": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a token. */
                id: components["parameters"]["ApiTokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Suspend an API token
         * @description Stops an active token until it is activated.
         */
        post: operations["suspendApiToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/api_token/{id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a token. */
                id: components["parameters"]["ApiTokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke an API token
         * @description Stops a token permanently.
         */
        post: operations["revokeApiToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description A valid account ID.
         * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
         */
        Account_Id: string;
        /**
         * @description A valid API token ID.
         * @example 013xrzp12g3nqk8n7f8f9jbg8d18q7tm
         */
        ApiToken_Id: string;
        /** @description What to create. Null is the same as a missing member. */
        ApiToken_DetailsForCreate: {
            /**
             * @description A valid account ID. The default is the account of the environment, else the caller's.
             * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
             */
            account_id?: string | null;
            /**
             * @description A valid environment ID; required for the scope environment, and rejected otherwise.
             * @example 013xrzp12g3nqk8nzxvq7jm2arsfg5h1
             */
            environment_id?: string | null;
            /**
             * Format: date-time
             * @description When the token expires. Without it, after the default lifetime.
             * @example 2027-01-01T00:00:00Z
             */
            expires_at?: string | null;
            /**
             * @description The scope of the token.
             * @example account
             * @enum {string}
             */
            token_scope: "account" | "environment";
        };
        /** @description The actions that the state of the token allows. */
        ApiToken_AvailableActions: {
            /** @description Whether the token can be activated. */
            activate: boolean;
            /** @description Whether the token can be deleted. */
            delete: boolean;
            /** @description Whether the token can be revoked. */
            revoke: boolean;
            /** @description Whether the token can be suspended. */
            suspend: boolean;
        };
        /** @description A token without its secret. */
        ApiToken_Details: {
            account_id: components["schemas"]["Account_Id"];
            available_actions: components["schemas"]["ApiToken_AvailableActions"];
            /**
             * @description A valid admin user ID; null unless an admin created the token.
             * @example 013xrzp12g3nqk8nh0qrc2b1jfanmvb9
             */
            created_by_admin_user_id: string | null;
            /**
             * @description A valid environment ID; null for the scope account.
             * @example 013xrzp12g3nqk8nzxvq7jm2arsfg5h1
             */
            environment_id: string | null;
            /**
             * Format: date-time
             * @description When the token expires.
             * @example 2024-01-01T00:00:00Z
             */
            expires_at: string;
            id: components["schemas"]["ApiToken_Id"];
            /**
             * Format: date-time
             * @description When the token was created.
             * @example 2024-01-01T00:00:00Z
             */
            inserted_at: string;
            /**
             * Format: date-time
             * @description When the token was last used; null if never.
             */
            last_used_at: string | null;
            /**
             * @description Current status of the token.
             * @example active
             * @enum {string}
             */
            status: "active" | "suspended" | "revoked" | "expired";
            /**
             * @description Scope of the token.
             * @example account
             * @enum {string}
             */
            token_scope: "account" | "environment";
            /**
             * @description Type of resource.
             * @example api_token
             * @enum {string}
             */
            type: "api_token";
            /**
             * Format: date-time
             * @description When the state of the token last changed.
             * @example 2024-01-01T00:00:00Z
             */
            updated_at: string;
        };
        /** @description A new token with its secret. */
        ApiToken_Created: {
            /**
             * @description Always success.
             * @example success
             * @enum {string}
             */
            status: "success";
            details: components["schemas"]["ApiToken_Details"];
            /** @description The JWT. No other response contains it. */
            token: string;
        };
        /** @description A token. */
        ApiToken_Success: {
            /**
             * @description Always success.
             * @example success
             * @enum {string}
             */
            status: "success";
            details: components["schemas"]["ApiToken_Details"];
        };
        /** @description A page of tokens. */
        ApiToken_List: {
            /**
             * @description Always success.
             * @example success
             * @enum {string}
             */
            status: "success";
            /** @description The tokens, newest first. */
            details: components["schemas"]["ApiToken_Details"][];
            /** @description The cursor of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description An error in one of two shapes. Only with the code validation_errors it has errors, by the name of the member or parameter. */
        ApiToken_Error: {
            /**
             * @description The type of error.
             * @example bad_request
             * @enum {string}
             */
            code: "bad_request" | "unauthorized" | "forbidden" | "not_found" | "method_not_allowed" | "conflict" | "payload_too_large" | "unsupported_media_type" | "too_many_requests" | "internal_error" | "service_unavailable" | "validation_errors";
            /** @description What is wrong, by the name of the member. */
            errors?: {
                [key: string]: string[];
            };
            /** @description What is wrong. */
            message: string;
            /**
             * @description Always error.
             * @example error
             * @enum {string}
             */
            status: "error";
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
        /** @description Only tokens in this state. */
        Status: "active" | "suspended" | "revoked" | "expired";
        /** @description Only tokens of this scope. */
        TokenScope: "account" | "environment";
        /** @description Only tokens of this account. */
        AccountFilter: string;
        /** @description Only tokens of this environment. */
        EnvironmentFilter: string;
        /** @description The id of a token. */
        ApiTokenId: components["schemas"]["ApiToken_Id"];
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
    listApiTokens: {
        parameters: {
            query?: {
                /**
                 * @description The maximum number of entries in a page.
                 * @example 20
                 */
                limit?: components["parameters"]["Limit"];
                /** @description The next_cursor of the previous page; the first page if missing. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Only tokens in this state. */
                status?: components["parameters"]["Status"];
                /** @description Only tokens of this scope. */
                token_scope?: components["parameters"]["TokenScope"];
                /** @description Only tokens of this account. */
                account_id?: components["parameters"]["AccountFilter"];
                /** @description Only tokens of this environment. */
                environment_id?: components["parameters"]["EnvironmentFilter"];
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
                     *       "status": "success",
                     *       "details": [
                     *         {
                     *           "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *           "available_actions": {
                     *             "activate": false,
                     *             "delete": false,
                     *             "revoke": true,
                     *             "suspend": true
                     *           },
                     *           "created_by_admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *           "environment_id": null,
                     *           "expires_at": "2027-01-01T00:00:00Z",
                     *           "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *           "inserted_at": "2026-01-01T00:00:00Z",
                     *           "last_used_at": null,
                     *           "status": "active",
                     *           "token_scope": "account",
                     *           "type": "api_token",
                     *           "updated_at": "2026-01-01T00:00:00Z"
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["ApiToken_List"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
        };
    };
    createApiToken: {
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
                 *       "token_scope": "account"
                 *     }
                 */
                "application/json": components["schemas"]["ApiToken_DetailsForCreate"];
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
                     *       "status": "success",
                     *       "details": {
                     *         "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *         "available_actions": {
                     *           "activate": false,
                     *           "delete": false,
                     *           "revoke": true,
                     *           "suspend": true
                     *         },
                     *         "created_by_admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *         "environment_id": null,
                     *         "expires_at": "2027-01-01T00:00:00Z",
                     *         "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *         "inserted_at": "2026-01-01T00:00:00Z",
                     *         "last_used_at": null,
                     *         "status": "active",
                     *         "token_scope": "account",
                     *         "type": "api_token",
                     *         "updated_at": "2026-01-01T00:00:00Z"
                     *       },
                     *       "token": "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ.e30.c2lnbmF0dXJl"
                     *     }
                     */
                    "application/json": components["schemas"]["ApiToken_Created"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description A request with the Idempotency-Key is in progress, or the secret of its response no longer works. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The Idempotency-Key belongs to a request with another body. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
        };
    };
    getApiToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a token. */
                id: components["parameters"]["ApiTokenId"];
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
                     *       "status": "success",
                     *       "details": {
                     *         "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *         "available_actions": {
                     *           "activate": false,
                     *           "delete": false,
                     *           "revoke": true,
                     *           "suspend": true
                     *         },
                     *         "created_by_admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *         "environment_id": null,
                     *         "expires_at": "2027-01-01T00:00:00Z",
                     *         "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *         "inserted_at": "2026-01-01T00:00:00Z",
                     *         "last_used_at": null,
                     *         "status": "active",
                     *         "token_scope": "account",
                     *         "type": "api_token",
                     *         "updated_at": "2026-01-01T00:00:00Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ApiToken_Success"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The token does not exist, or the caller may not see it. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
        };
    };
    deleteApiToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a token. */
                id: components["parameters"]["ApiTokenId"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The token does not exist, or the caller may not see it. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The state of the token does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
        };
    };
    activateApiToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a token. */
                id: components["parameters"]["ApiTokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "success",
                     *       "details": {
                     *         "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *         "available_actions": {
                     *           "activate": false,
                     *           "delete": false,
                     *           "revoke": true,
                     *           "suspend": true
                     *         },
                     *         "created_by_admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *         "environment_id": null,
                     *         "expires_at": "2027-01-01T00:00:00Z",
                     *         "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *         "inserted_at": "2026-01-01T00:00:00Z",
                     *         "last_used_at": null,
                     *         "status": "active",
                     *         "token_scope": "account",
                     *         "type": "api_token",
                     *         "updated_at": "2026-01-01T00:00:00Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ApiToken_Success"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The token does not exist, or the caller may not see it. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The state of the token does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
        };
    };
    suspendApiToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a token. */
                id: components["parameters"]["ApiTokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "success",
                     *       "details": {
                     *         "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *         "available_actions": {
                     *           "activate": false,
                     *           "delete": false,
                     *           "revoke": true,
                     *           "suspend": true
                     *         },
                     *         "created_by_admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *         "environment_id": null,
                     *         "expires_at": "2027-01-01T00:00:00Z",
                     *         "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *         "inserted_at": "2026-01-01T00:00:00Z",
                     *         "last_used_at": null,
                     *         "status": "active",
                     *         "token_scope": "account",
                     *         "type": "api_token",
                     *         "updated_at": "2026-01-01T00:00:00Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ApiToken_Success"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The token does not exist, or the caller may not see it. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The state of the token does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
        };
    };
    revokeApiToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a token. */
                id: components["parameters"]["ApiTokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "success",
                     *       "details": {
                     *         "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *         "available_actions": {
                     *           "activate": false,
                     *           "delete": false,
                     *           "revoke": true,
                     *           "suspend": true
                     *         },
                     *         "created_by_admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *         "environment_id": null,
                     *         "expires_at": "2027-01-01T00:00:00Z",
                     *         "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *         "inserted_at": "2026-01-01T00:00:00Z",
                     *         "last_used_at": null,
                     *         "status": "active",
                     *         "token_scope": "account",
                     *         "type": "api_token",
                     *         "updated_at": "2026-01-01T00:00:00Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["ApiToken_Success"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The token does not exist, or the caller may not see it. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description The state of the token does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
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
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiToken_Error"];
                };
            };
        };
    };
}
