// A TLS server of Java's own that wants client certificates and checks their revocation.
//
//   java Verify.java ocsp|crl SERVER.p12 PASSWORD ANCHORS.pem
//
// Prints its port, then `accepted SUBJECT` or `refused REASON` for each connection.
import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.cert.CertPathBuilder;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.X509CertSelector;
import java.util.EnumSet;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public class Verify {
    public static void main(String[] told) throws Exception {
        boolean byList = told[0].equals("crl");
        System.setProperty("com.sun.security.enableCRLDP", "true");
        KeyStore own = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(told[1])) {
            own.load(file, told[2].toCharArray());
        }
        KeyStore anchors = KeyStore.getInstance("PKCS12");
        anchors.load(null, null);
        try (FileInputStream file = new FileInputStream(told[3])) {
            int number = 0;
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                anchors.setCertificateEntry("anchor" + number++, one);
            }
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, told[2].toCharArray());
        PKIXRevocationChecker checker =
            (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
        checker.setOptions(byList
            ? EnumSet.of(Option.PREFER_CRLS, Option.NO_FALLBACK, Option.ONLY_END_ENTITY)
            : EnumSet.of(Option.NO_FALLBACK, Option.ONLY_END_ENTITY));
        PKIXBuilderParameters rules = new PKIXBuilderParameters(anchors, new X509CertSelector());
        rules.addCertPathChecker(checker);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(new CertPathTrustManagerParameters(rules));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        SSLServerSocket listening =
            (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0);
        listening.setNeedClientAuth(true);
        System.out.println(listening.getLocalPort());
        while (true) {
            try (SSLSocket channel = (SSLSocket) listening.accept()) {
                channel.startHandshake();
                SSLSession session = channel.getSession();
                System.out.println("accepted " + session.getPeerPrincipal());
                channel.getOutputStream().write("served\n".getBytes());
                session.invalidate();
            } catch (Exception error) {
                Throwable first = error;
                while (first.getCause() != null) {
                    first = first.getCause();
                }
                System.out.println("refused " + first.getMessage());
            }
        }
    }
}
