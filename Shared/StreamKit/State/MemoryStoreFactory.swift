/// Stores in memory, each restored from the beginning of its changelog.
public struct MemoryStoreFactory: StoreBackendFactory {
    public init() {}

    public func open(
        store name: String, partition: Int32, definition: String
    ) throws(StoreFailure) -> any StoreBackend { MemoryStore() }
}
