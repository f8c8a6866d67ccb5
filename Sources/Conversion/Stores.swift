// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import DiskImage
internal import Storage

/// The directories that the jobs of a fleet may use. Jobs say `NAME/relative/path`, never where that is on a machine; what leads out
/// of a store, by `..` or by a link, is refused.
package struct Stores: Sendable {
    /// One directory.
    private struct Store: Sendable {
        let name: String
        /// Without links.
        let root: String
    }

    private let all: [Store]
    private let delayMilliseconds: Int

    /// Names directories, which must exist. A name has letters, digits, `-`, `_` and `.`, does not begin with `.` and is there once; fails with `invalid`
    /// for others, and for the root directory. For measurements, each read and write can take `delayMilliseconds` longer.
    package init(
        _ stores: [(name: String, directory: String)],
        delayMilliseconds: Int = 0
    ) throws(DrayError) {
        self.delayMilliseconds = delayMilliseconds
        var all: [Store] = []
        for (name, directory) in stores {
            guard Self.isName(name), !all.contains(where: { $0.name == name }) else {
                throw DrayError(.invalid, "'\(name)' is no name of a store, or there twice")
            }
            guard let place = try RealPlace(directory), place.kind == .directory,
                place.path != "/"
            else {
                throw DrayError(
                    .invalid,
                    "a store is a directory that is there, and not the root",
                    file: directory
                )
            }
            all.append(Store(name: name, root: place.path))
        }
        // The innermost first, where one lies in another.
        self.all = all.sorted { $0.root.utf8.count > $1.root.utf8.count }
    }

    private static func isName(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || "-_.".utf8.contains(byte)
        }
        return isPlain && (1...64).contains(name.utf8.count) && !name.utf8.starts(with: ".".utf8)
    }

    /// `text` with the names of stores for their directories: what leaves the worker names no directory of its machine.
    package func renaming(_ text: String) -> String {
        all.reduce(text) { $0.replacing($1.root + "/", with: $1.name + "/") }
    }

    /// The same error in the words of the job.
    package func renaming(_ error: DrayError) -> DrayError {
        DrayError(
            error.kind,
            renaming(error.message),
            file: error.file.map(renaming),
            offset: error.offset,
            errno: error.errno
        )
    }

    /// The store and the path of `path` in it, which is empty only where `mayBeRoot`.
    private func split(
        _ path: String,
        mayBeRoot: Bool = false
    ) throws(DrayError) -> (store: Store, path: String) {
        let parts = path.utf8.split(
            separator: UInt8(ascii: "/"),
            omittingEmptySubsequences: false
        ).map { String($0) ?? "" }
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard isPlain, parts.count > (mayBeRoot ? 0 : 1), !path.utf8.contains(0),
            path.utf8.count < 4096
        else {
            throw refusal("a job names its files STORE/PATH, without '.' and '..'", path)
        }
        guard let store = all.first(where: { $0.name == parts[0] }) else {
            throw refusal("this worker has no store '\(parts[0])' (--store \(parts[0])=DIR)", path)
        }
        return (store, parts.dropFirst().reduce(store.root) { $0 + "/" + $1 })
    }

    private func existing(_ name: String) throws(DrayError) -> String {
        let (store, path) = try split(name)
        return try existing(path, in: store, name)
    }

    /// The file at `path`, which the job calls `name`. It must lie in the store and be one that can be read.
    private func existing(
        _ path: String,
        in store: Store,
        _ name: String
    ) throws(DrayError) -> String {
        guard let place = try follow(path, for: name) else {
            throw DrayError(
                .resource,
                "the file is not there",
                file: name,
                errno: RealPlace.missing
            )
        }
        guard PathParts.isBelow(place.path, store.root) else {
            throw refusal("the path leads out of the store", name)
        }
        guard place.kind == .regularFile || place.kind == .blockDevice else {
            throw refusal("this is no regular file and no block device", name)
        }
        return path
    }

    /// Where `path` leads, which the job calls `name`.
    private func follow(_ path: String, for name: String) throws(DrayError) -> RealPlace? {
        do throws(DrayError) {
            return try RealPlace(path)
        } catch {
            throw error.at(file: name)
        }
    }

    private func refusal(_ text: String, _ path: String) -> DrayError {
        DrayError(.refused, text, file: path)
    }
}

extension Stores: JobFiles {
    func located(_ spec: JobSpec) throws(DrayError) -> JobSpec {
        var located = spec
        for index in located.sources.indices {
            located.sources[index].path = try existing(spec.sources[index].path)
        }
        guard let target = spec.target else { return located }
        let path = try locatedTarget(target.path)
        located.target?.path = path
        try checkBacking(target, path)
        return located
    }

    func locatedTarget(_ name: String) throws(DrayError) -> String {
        let (store, path) = try split(name)
        let file = PathParts(path).lastComponent.utf8
        let isOurs =
            file.starts(with: ".".utf8)
            && [".partial", ".lock"].contains { file.suffix($0.utf8.count).elementsEqual($0.utf8) }
        guard !isOurs else {
            throw refusal("the name is one of those that unfinished targets have", name)
        }
        guard let parent = try follow(PathParts(path).directory, for: name) else {
            throw DrayError(
                .resource,
                "the target's directory is not there",
                file: name,
                errno: RealPlace.missing
            )
        }
        guard parent.path == store.root || PathParts.isBelow(parent.path, store.root) else {
            throw refusal("the path leads out of the store", name)
        }
        // A link that leads nowhere is replaced itself.
        guard let place = try follow(path, for: name) else { return path }
        guard PathParts.isBelow(place.path, store.root) else {
            throw refusal("the path leads out of the store", name)
        }
        guard place.kind == .regularFile || place.kind == .blockDevice else {
            throw refusal("this is no regular file and no block device", name)
        }
        return path
    }

    /// The backing image that the target is to have is named relative to the target, as qemu-img does, and lies in the same store.
    private func checkBacking(_ target: TargetSpec, _ path: String) throws(DrayError) {
        guard let backing = TargetFormats.backing(in: target.options, for: target.format)?.name
        else { return }
        let head = backing.utf8.prefix { $0 != UInt8(ascii: "/") }
        guard !head.isEmpty, !head.contains(UInt8(ascii: ":")), !backing.utf8.contains(0) else {
            throw refusal("the backing file is named by a path relative to the target", target.path)
        }
        let store = try split(target.path).store
        _ = try existing(PathParts(path).directoryPrefix + backing, in: store, target.path)
    }

    func gate(for spec: JobSpec) throws(DrayError) -> any ReferenceGate {
        var directories: [String] = []
        for name in spec.references ?? [] {
            let (store, path) = try split(name, mayBeRoot: true)
            guard let place = try follow(path, for: name), place.kind == .directory else {
                throw refusal("this is no directory that images may refer to", name)
            }
            guard place.path == store.root || PathParts.isBelow(place.path, store.root) else {
                throw refusal("the path leads out of the store", name)
            }
            directories.append(place.path)
        }
        return StoreGate(alsoAllowing: directories, within: all.map(\.root))
    }

    func wrap(_ storage: any Storage) -> any Storage {
        delayMilliseconds > 0
            ? DelayedStorage(storage, milliseconds: delayMilliseconds) : storage
    }

    func name(of path: String) -> String { renaming(path) }
}
