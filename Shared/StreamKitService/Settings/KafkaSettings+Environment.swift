extension KafkaSettings {
    /// `KAFKA_BOOTSTRAP_SERVERS` and `KAFKA_CONFIG_...` alone: what a tool without a file has.
    public static func read(_ environment: Environment) throws(ConfigurationError) -> KafkaSettings {
        try SettingsDocument([], source: "environment", environment: environment).read { KafkaSettings($0) }.settings
    }
}
