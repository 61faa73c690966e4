/// The schema of schemas, for those that refer to it: draft 2020-12's keywords and the shapes of their values, in one resource.
///
/// Schemas themselves are checked by the compiler, which says more.
enum MetaSchema {
    static let uri = "https://json-schema.org/draft/2020-12/schema"

    static let text = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "https://json-schema.org/draft/2020-12/schema",
          "$dynamicAnchor": "meta",
          "type": ["object", "boolean"],
          "properties": {
            "$schema": {"type": "string"}, "$id": {"type": "string", "pattern": "^[^#]*#?$"},
            "$anchor": {"$ref": "#/$defs/anchor"}, "$dynamicAnchor": {"$ref": "#/$defs/anchor"},
            "$ref": {"type": "string"}, "$dynamicRef": {"type": "string"}, "$comment": {"type": "string"},
            "$vocabulary": {"type": "object", "additionalProperties": {"type": "boolean"}},
            "$defs": {"$ref": "#/$defs/map"}, "definitions": {"$ref": "#/$defs/map"},
            "allOf": {"$ref": "#/$defs/list"}, "anyOf": {"$ref": "#/$defs/list"}, "oneOf": {"$ref": "#/$defs/list"},
            "prefixItems": {"$ref": "#/$defs/list"},
            "not": {"$dynamicRef": "#meta"}, "if": {"$dynamicRef": "#meta"}, "then": {"$dynamicRef": "#meta"},
            "else": {"$dynamicRef": "#meta"}, "items": {"$dynamicRef": "#meta"}, "contains": {"$dynamicRef": "#meta"},
            "additionalProperties": {"$dynamicRef": "#meta"}, "propertyNames": {"$dynamicRef": "#meta"},
            "unevaluatedItems": {"$dynamicRef": "#meta"}, "unevaluatedProperties": {"$dynamicRef": "#meta"},
            "contentSchema": {"$dynamicRef": "#meta"},
            "properties": {"$ref": "#/$defs/map"}, "dependentSchemas": {"$ref": "#/$defs/map"},
            "patternProperties": {"$ref": "#/$defs/map", "propertyNames": {"format": "regex"}},
            "type": {"anyOf": [
              {"$ref": "#/$defs/kind"},
              {"type": "array", "items": {"$ref": "#/$defs/kind"}, "minItems": 1, "uniqueItems": true}
            ]},
            "enum": {"type": "array"}, "const": true,
            "multipleOf": {"type": "number", "exclusiveMinimum": 0},
            "maximum": {"type": "number"}, "exclusiveMaximum": {"type": "number"},
            "minimum": {"type": "number"}, "exclusiveMinimum": {"type": "number"},
            "maxLength": {"$ref": "#/$defs/count"}, "minLength": {"$ref": "#/$defs/count"},
            "maxItems": {"$ref": "#/$defs/count"}, "minItems": {"$ref": "#/$defs/count"},
            "maxContains": {"$ref": "#/$defs/count"}, "minContains": {"$ref": "#/$defs/count"},
            "maxProperties": {"$ref": "#/$defs/count"}, "minProperties": {"$ref": "#/$defs/count"},
            "pattern": {"type": "string", "format": "regex"}, "format": {"type": "string"},
            "uniqueItems": {"type": "boolean"},
            "required": {"$ref": "#/$defs/names"},
            "dependentRequired": {"type": "object", "additionalProperties": {"$ref": "#/$defs/names"}},
            "title": {"type": "string"}, "description": {"type": "string"}, "deprecated": {"type": "boolean"},
            "readOnly": {"type": "boolean"}, "writeOnly": {"type": "boolean"}, "examples": {"type": "array"},
            "contentEncoding": {"type": "string"}, "contentMediaType": {"type": "string"}
          },
          "$defs": {
            "anchor": {"type": "string", "pattern": "^[A-Za-z_][-A-Za-z0-9._]*$"},
            "count": {"type": "integer", "minimum": 0},
            "kind": {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]},
            "list": {"type": "array", "minItems": 1, "items": {"$dynamicRef": "#meta"}},
            "map": {"type": "object", "additionalProperties": {"$dynamicRef": "#meta"}},
            "names": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}
          }
        }
        """#
}
