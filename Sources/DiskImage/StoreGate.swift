// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Storage

/// A worker's gate: an image may name regular files in its own directory or below, and whatever lies below the directories that
/// the job lists; everything within the stores.
///
/// What is not allowed is refused alike whether it is there or not: an image from a stranger learns nothing about the machine.
package struct StoreGate: ReferenceGate {
    private let allowed: [String]
    private let roots: [String]

    /// A gate that allows `directories` besides the image's own. All paths are absolute and without links.
    package init(alsoAllowing directories: [String], within roots: [String]) {
        allowed = directories
        self.roots = roots
    }

    package var confinement: [String]? { roots }

    package func resolve(_ name: String, referrer: String) throws(DrayError) -> String {
        try refuseProtocols(name, referrer)
        let path =
            PathParts.isAbsolute(name) ? name : PathParts(referrer).directoryPrefix + name
        do throws(DrayError) {
            guard let home = try RealPlace(referrer) else { throw refusal(name, referrer) }
            guard let place = try place(path, name, referrer) else {
                // Whether it is missing may be said of what is allowed if it is there.
                guard isPlain(name) else { throw refusal(name, referrer) }
                throw DrayError(
                    .resource,
                    "cannot find \(name), which the image names",
                    errno: RealPlace.missing
                )
            }
            guard isAllowed(place, home) else { throw refusal(name, referrer) }
            return path
        } catch {
            throw error.at(file: referrer)
        }
    }

    private func place(
        _ path: String,
        _ name: String,
        _ referrer: String
    ) throws(DrayError) -> RealPlace? {
        do throws(DrayError) {
            return try RealPlace(path)
        } catch {
            throw isPlain(name) ? error : refusal(name, referrer)
        }
    }

    private func isAllowed(_ place: RealPlace, _ home: RealPlace) -> Bool {
        guard place.kind == .regularFile || place.kind == .blockDevice,
            roots.contains(where: { PathParts.isBelow(place.path, $0) })
        else { return false }
        if allowed.contains(where: { PathParts.isBelow(place.path, $0) }) { return true }
        return home.kind == .regularFile && place.kind == .regularFile
            && PathParts.isBelow(place.path, PathParts(home.path).directory)
    }

    private func isPlain(_ name: String) -> Bool {
        !PathParts.isAbsolute(name)
            && !name.utf8.split(separator: UInt8(ascii: "/")).contains {
                $0.elementsEqual("..".utf8)
            }
    }

    private func refusal(_ name: String, _ referrer: String) -> DrayError {
        DrayError(
            .refused,
            "the image names \(name), which is no file in its directory or below; "
                + "list its directory as one that the job's images may refer to",
            file: referrer
        )
    }
}
