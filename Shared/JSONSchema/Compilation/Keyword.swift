/// The keywords of draft 2020-12.
enum Keyword {
    enum Subschemas {
        case schema
        case list
        case map
    }

    /// Where a schema has schemas.
    static let subschemas: [String: Subschemas] = [
        "$defs": .map, "definitions": .map, "allOf": .list, "anyOf": .list, "oneOf": .list, "not": .schema,
        "if": .schema,
        "then": .schema, "else": .schema, "dependentSchemas": .map, "dependencies": .map, "properties": .map,
        "patternProperties": .map, "additionalProperties": .schema, "propertyNames": .schema, "prefixItems": .list,
        "items": .schema, "contains": .schema, "unevaluatedProperties": .schema, "unevaluatedItems": .schema,
        "contentSchema": .schema,
    ]

    /// The others, so that a misspelt one can be told.
    static let others: Set<String> = [
        "$schema", "$id", "$anchor", "$dynamicAnchor", "$ref", "$dynamicRef", "$vocabulary", "$comment", "type", "enum",
        "const",
        "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern",
        "maxItems", "minItems", "uniqueItems", "maxContains", "minContains", "maxProperties", "minProperties",
        "required",
        "dependentRequired", "format", "contentEncoding", "contentMediaType", "title", "description", "default",
        "deprecated",
        "readOnly", "writeOnly", "examples",
    ]
}
