// swift-tools-version: 6.2
// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// A target of ours: every one is built with the same settings.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A library of the distribution: a module map and a shim header, nothing else.
func library(_ name: String, pkgConfig: String, package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

/// A test target. `TestSupport` is the only one that others depend on.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies + ["TestSupport"],
        path: "Tests/\(name)",
        swiftSettings: settings
    )
}

let package = Package(
    name: "dray",
    products: [.executable(name: "dray", targets: ["dray"])],
    targets: [
        .target(name: "CGetopt"),
        .target(name: "CLinux"),
        .target(name: "CSHA256"),
        library("CZlib", pkgConfig: "zlib", package: "zlib1g-dev"),
        library("CDeflate", pkgConfig: "libdeflate", package: "libdeflate-dev"),
        library("CISAL", pkgConfig: "libisal", package: "libisal-dev"),
        library("CZstd", pkgConfig: "libzstd", package: "libzstd-dev"),
        library("CLzma", pkgConfig: "liblzma", package: "liblzma-dev"),
        library("CCrypto", pkgConfig: "libcrypto", package: "libssl-dev"),
        library("CSQLite", pkgConfig: "sqlite3", package: "libsqlite3-dev"),
        library("CRdKafka", pkgConfig: "rdkafka", package: "librdkafka-dev"),

        module("BlockIO"),
        module("Storage", ["BlockIO", "CLinux"]),
        module(
            "DiskImage",
            ["BlockIO", "Storage", "CZlib", "CDeflate", "CISAL", "CZstd", "CLzma"]
        ),
        module("Digest", ["BlockIO", "CCrypto", "CSHA256"]),
        module("Conversion", ["BlockIO", "Storage", "DiskImage", "Digest"]),
        module("TaskLog", ["BlockIO", "CSQLite"]),
        module("KafkaLog", ["BlockIO", "TaskLog", "CRdKafka"]),
        module("Fleet", ["BlockIO", "DiskImage", "Conversion", "Digest", "TaskLog"]),
        module("CommandTable", ["CGetopt"]),
        .executableTarget(
            name: "dray",
            dependencies: [
                "BlockIO", "CLinux", "CommandTable", "Storage", "DiskImage", "Digest", "Conversion",
                "TaskLog", "KafkaLog", "Fleet",
            ],
            swiftSettings: settings
        ),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        tests("BlockIOTests", ["BlockIO", "TaskLog"]),
        tests("StorageTests", ["BlockIO", "Storage"]),
        tests("DigestTests", ["BlockIO", "Digest"]),
        tests("DiskImageTests", ["BlockIO", "Storage", "DiskImage", "TaskLog"]),
        tests(
            "ConversionTests",
            ["BlockIO", "Storage", "DiskImage", "Digest", "Conversion", "TaskLog", "Fleet"]
        ),
        tests("TaskLogTests", ["BlockIO", "TaskLog"]),
        tests("KafkaLogTests", ["BlockIO", "TaskLog", "KafkaLog"]),
        tests("FleetTests", ["BlockIO", "DiskImage", "Digest", "Conversion", "TaskLog", "Fleet"]),
        tests(
            "SimulationTests",
            ["BlockIO", "DiskImage", "Digest", "Conversion", "TaskLog", "Fleet"]
        ),
        tests("CommandTableTests", ["CommandTable"]),
        tests("InteropTests", ["BlockIO", "Storage", "DiskImage"]),
        tests("TidyTests"),
    ]
)
