export type { CertificateTrust, CertifiedSender, SenderCertificateRequest, ServerCertificateRequest } from "./certificate.ts";
export { issueSenderCertificate, issueServerCertificate, validateSenderCertificate } from "./certificate.ts";
